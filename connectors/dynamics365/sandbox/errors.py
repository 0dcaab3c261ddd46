"""Refusals in the service's own codes and words."""

from collections.abc import Iterable


class Refused(Exception):
    """One request is refused. `code` is the service's hexadecimal code as text; it may be empty."""

    def __init__(
        self, status: int, code: str, message: str, headers: Iterable[tuple[str, str]] = (), body: bytes | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.headers = list(headers)
        self.body = body


def payload_error(message: str) -> Refused:
    return Refused(
        400,
        "0x80048d19",
        f"Error identified in Payload provided by the user for Entity :'', For more information on this error please "
        f"follow this help link https://go.microsoft.com/fwlink/?linkid=2195293  ----> InnerException : "
        f"Microsoft.OData.ODataException: {message}",
    )


def unknown_property(name: str, table: str) -> Refused:
    return payload_error(
        f"The property '{name}' does not exist on type 'Microsoft.Dynamics.CRM.{table}'. Make sure to only use "
        f"property names that are defined by the type."
    )


def undeclared_navigation(name: str) -> Refused:
    return payload_error(
        f"An undeclared property '{name}' which only has property annotations in the payload but no property value "
        f"was found in the payload. In OData, only declared navigation properties and declared named streams can be "
        f"represented as properties without values."
    )


def query_error(message: str) -> Refused:
    return Refused(400, "0x80060888", message)


def unknown_column(name: str, table: str) -> Refused:
    return query_error(f"Could not find a property named '{name}' on type 'Microsoft.Dynamics.CRM.{table}'.")


def invalid(message: str, code: str = "0x80040203") -> Refused:
    return Refused(400, code, message)


def not_there(table: str, key: str) -> Refused:
    return Refused(404, "0x80040217", f"Entity '{table}' With Id = {key} Does Not Exist")


def no_such_key_values(table: str) -> Refused:
    return Refused(404, "0x80060891", f"A record with the specified key values does not exist in {table} entity")


def no_resource(name: str) -> Refused:
    return Refused(404, "0x80060888", f"Resource not found for the segment '{name}'.")


def already_there() -> Refused:
    return Refused(412, "0x80040237", "A record with matching key values already exists.")


def method_not_allowed(method: str) -> Refused:
    return Refused(405, "0x80060888", f"The requested resource does not support http method '{method}'.")


def not_implemented(what: str) -> Refused:
    return Refused(501, "0x80048d0b", f"The sandbox does not speak this part of the service: {what}.")
