import pytest

from connectors.prestashop.tests.connector_shop import Shop


@pytest.fixture
def shop() -> Shop:
    return Shop()
