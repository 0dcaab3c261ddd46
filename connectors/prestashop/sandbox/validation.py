"""The shop's checks of what is written, field by field, in its own words."""

import re
from collections.abc import Callable

from connectors.prestashop.sandbox.errors import Refused
from connectors.prestashop.sandbox.schema import Field, Resource

WHOLE = re.compile(r"-?\d+")
UNSIGNED = re.compile(r"\d+")
DECIMAL = re.compile(r"-?\d{1,20}(\.\d{1,9})?")
MOMENT = re.compile(r"\d{4}-\d{1,2}-\d{1,2}( \d{2}:\d{2}:\d{2})?")


def _matches(pattern: str) -> Callable[[str], bool]:
    compiled = re.compile(pattern)
    return lambda text: compiled.fullmatch(text) is not None


CHECKS: dict[str, Callable[[str], bool]] = {
    "isUnsignedId": lambda text: UNSIGNED.fullmatch(text) is not None,
    "isNullOrUnsignedId": lambda text: UNSIGNED.fullmatch(text) is not None,
    "isUnsignedInt": lambda text: UNSIGNED.fullmatch(text) is not None,
    "isPositiveInt": lambda text: UNSIGNED.fullmatch(text) is not None,
    "isInt": lambda text: WHOLE.fullmatch(text) is not None,
    "isBool": lambda text: text in ("0", "1"),
    "isFloat": lambda text: DECIMAL.fullmatch(text) is not None,
    "isUnsignedFloat": lambda text: DECIMAL.fullmatch(text) is not None and not text.startswith("-"),
    "isPrice": lambda text: DECIMAL.fullmatch(text) is not None and not text.startswith("-"),
    "isNegativePrice": lambda text: DECIMAL.fullmatch(text) is not None,
    "isDate": lambda text: MOMENT.fullmatch(text) is not None,
    "isEmail": _matches(r"[^@\s<>\"]+@[^@\s<>\"]+\.[^@\s<>\"]+"),
    "isCustomerName": _matches(r"[^0-9!<>,;?=+()/\\@#\"°*`{}_^$%:¤\[\]|．。]*"),
    "isName": _matches(r"[^0-9!<>,;?=+()@#\"°{}_$%:¤|]*"),
    "isGenericName": _matches(r"[^<>={}]*"),
    "isCatalogName": _matches(r"[^<>;=#{}]*"),
    "isCarrierName": _matches(r"[^<>;=#{}]*"),
    "isReference": _matches(r"[^<>;={}]*"),
    "isAddress": _matches(r"[^!<>?=+@{}_$%]*"),
    "isCityName": _matches(r"[^!<>;?=+@#\"°{}_$%]*"),
    "isPostCode": _matches(r"[a-zA-Z 0-9-]*"),
    "isPhoneNumber": _matches(r"[+0-9. ()/-]*"),
    "isMessage": lambda text: not re.search(r"[<>{}]", text),
    "isModuleName": _matches(r"[a-zA-Z0-9_-]+"),
    "isMd5": _matches(r"[a-f0-9A-F]{32}"),
    "isEan13": _matches(r"[0-9]{0,13}"),
    "isUpc": _matches(r"[0-9]{0,12}"),
    "isLanguageIsoCode": _matches(r"[a-zA-Z]{2,3}"),
    "isStateIsoCode": _matches(r"[a-zA-Z0-9]{1,4}((-)[a-zA-Z0-9]{1,4})?"),
    "isProductVisibility": lambda text: text in ("both", "catalog", "search", "none"),
    "isLinkRewrite": _matches(r"[_a-zA-Z0-9\u0600-\u06FF-]*"),
    "isCleanHtml": lambda text: not re.search(r"<\s*(script|iframe|form|input|embed|object)|on\w+\s*=", text, re.I),
}


def check(resource: Resource, field: Field, text: str) -> None:
    """Raises Refused 85 for an empty required field, a text that is too long, or one of the wrong form."""
    name = f"{resource.object}-&gt;{field.name}"
    if field.required and text == "":
        raise _invalid(f"Property {name} is empty.")
    if text == "":
        return
    if field.max_length and len(text) > int(field.max_length):
        limits = f"It must be between 0 and {field.max_length} chars."
        raise _invalid(f"The length of property {name} is currently {len(text)} chars. {limits}")
    if field.format == "isInt" and field.name == "quantity" and not re.match(r"\s*-?\d", text):
        raise _invalid(f"The range of property {name} is currently 0. It must be between -2147483648 and 2147483647.")
    test = CHECKS.get(field.format)
    if test and not (test(text) or (text[:4] == "0000" and field.column.startswith("date"))):
        raise _invalid(f"Property {name} is not valid")


def check_texts(resource: Resource, field: Field, texts: dict[str, str], language: str) -> None:
    """Raises Refused 84 where a required text is empty in the shop's own language or any text is of the wrong form."""
    name = f"{resource.object}-&gt;{field.name}"
    if field.required and not texts.get(language):
        raise Refused(400, (84, f'Validation error: "Property {name} is empty."'))
    test = CHECKS.get(field.format)
    for one in texts.values():
        if field.max_length and len(one) > int(field.max_length):
            limits = f"It must be between 0 and {field.max_length} chars."
            length = f"The length of property {name} is currently {len(one)} chars."
            raise Refused(400, (84, f'Validation error: "{length} {limits}"'))
        if test and one and not test(one):
            raise Refused(400, (84, f'Validation error: "Property {name} is not valid"'))


def _invalid(words: str) -> Refused:
    quoted = f'Validation error: "{words}"'
    return Refused(400, (85, quoted))
