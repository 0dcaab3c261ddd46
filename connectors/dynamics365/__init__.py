"""Microsoft Dynamics 365 Sales, through Dataverse's Web API."""

from connectors.dynamics365.connector import Dynamics365

connector = Dynamics365

__all__ = ["connector"]
