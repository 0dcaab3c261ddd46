"""People of the shop, as rows of its sandbox."""

import factory


class CustomerFactory(factory.DictFactory):
    """Rows are text, as the shop has them."""

    firstname = "Hana"
    lastname = "Dvořák"
    email = factory.Sequence(lambda number: f"hana{number}@post.example")
    is_guest = "0"
    id_lang = "1"
    active = "1"
    company = ""
    newsletter = "0"
    secure_key = "0" * 32
    date_add = date_upd = "2026-03-01 10:00:00"

    class Params:
        guest = factory.Trait(is_guest="1")


class AddressFactory(factory.DictFactory):
    firstname = "Hana"
    lastname = "Dvořák"
    id_country = "8"
    alias = "Home"
    address1 = "3 quai de la Fosse"
    postcode = "44000"
    city = "Nantes"
    company = ""
    vat_number = ""
    date_add = date_upd = "2026-03-01 10:00:00"
