"""The demo: a shop and an ERP to try the hub with, and somebody who buys."""
