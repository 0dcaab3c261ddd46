"""How the shop refuses: its error codes and statuses, PHP's warnings among them, and the ends without any XML."""

from collections.abc import Iterable

SOURCE = "/srv/shop/classes/webservice/WebserviceRequest.php"
PHP = "PHP/8.2.28"
SWITCHED_OFF = (22, "The PrestaShop webservice is disabled. Please activate it in the PrestaShop Back Office")
NOT_ACTIVE = ((20, "Authentification key is not active"), (21, "No permission for this authentication key"))


class Refused(Exception):
    """An answer in the webservice's own error format: (code, message) pairs, the first is the cause."""

    def __init__(self, status: int, *errors: tuple[int, str]) -> None:
        super().__init__(errors[0][1])
        self.status = status
        self.errors = errors


class MalformedXml(Refused):
    """Always 500, and the whole request comes back in the message."""

    def __init__(self, body: bytes, *warnings: str) -> None:
        text = body.decode("utf-8", "replace")
        echo = f"XML error : String could not be parsed as XML\nXML length : {len(body)}\nOriginal XML : {text}"
        super().__init__(500, *[(3, php_warning(one, 1544)) for one in warnings], (127, echo))


class Crashed(Exception):
    """An uncaught exception or a `die()`: 500, HTML content type, empty or with one plain sentence."""

    def __init__(self, sentence: str = "") -> None:
        super().__init__(sentence)
        self.sentence = sentence


class Elsewhere(Exception):
    """The request was not for this shop: 302 to the front page."""


class Missing(Exception):
    """No such record: 404 with an empty body."""


def php_warning(message: str, line: int, source: str = SOURCE) -> str:
    return f"[PHP Warning #2] {message} ({source}, line {line})"


def query_refused(code: int, message: str) -> Refused:
    """A bad filter, sort, display or limit: meant as 400, but the code that follows stumbles over the missing result,
    and PHP 8 makes that 500."""
    stumble = "Trying to access array offset on value of type bool"
    return Refused(500, (code, message), *[(3, php_warning(stumble, line)) for line in range(1333, 1337)])


def broken_xml(body: bytes, reason: str) -> MalformedXml:
    if not body:
        return MalformedXml(body)
    first = body.decode("utf-8", "replace").splitlines()[0][:80]
    start = "SimpleXMLElement::__construct(): "
    said = "Start tag expected, '<' not found" if not body.lstrip().startswith(b"<") else reason
    return MalformedXml(body, f"{start}Entity: line 1: parser error : {said}", f"{start}{first}", f"{start}^")


def error_xml(errors: Iterable[tuple[int, str]]) -> list[str]:
    parts = ["<errors>\n"]
    for code, message in errors:
        clean = message.replace("]]>", "]]]]><![CDATA[>")
        parts.append(f"<error>\n<code><![CDATA[{code}]]></code>\n<message><![CDATA[{clean}]]></message>\n</error>\n")
    parts.append("</errors>\n")
    return parts


def nearest(word: str, words: Iterable[str]) -> str:
    """The word that takes the fewest edits, as the shop suggests one: the last of several."""
    return min(reversed(list(words)), key=lambda one: _edits(word, one), default="")


def _edits(left: str, right: str) -> int:
    row = list(range(len(right) + 1))
    for i, a in enumerate(left[:100], 1):
        previous, row[0] = row[0], i
        for j, b in enumerate(right, 1):
            previous, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, previous + (a != b))
    return row[-1]
