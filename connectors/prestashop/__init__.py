"""PrestaShop, through its webservice."""

from connectors.prestashop.shop import PrestaShop as connector

__all__ = ["connector"]
