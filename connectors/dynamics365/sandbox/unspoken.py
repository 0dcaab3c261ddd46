"""Names that the service documents and that this sandbox does not speak: they are answered 501 and not as unknown.
Names that nobody documents stay unknown."""

# Entity sets that every environment with Sales has.
SETS = {
    *(
        "activitypointers",
        "annotations",
        "appointments",
        "asyncoperations",
        "businessunits",
        "campaigns",
        "competitors",
    ),
    *("connections", "contracts", "customeraddresses", "discounts", "discounttypes", "duplicaterules", "emails"),
    *("incidents", "invoicedetails", "invoices", "leads", "letters", "lists", "opportunities", "opportunityproducts"),
    *("ordercloses", "phonecalls", "plugintypes", "pluginassemblies", "privileges"),
    *("productassociations", "productsubstitutes", "publishers", "queues", "quotedetails", "quotes", "quotecloses"),
    *("roles", "salesliteratures", "sdkmessageprocessingsteps", "sdkmessages", "sdkmessagefilters", "serviceendpoints"),
    *("solutions", "subjects", "systemusers", "tasks", "teams", "territories", "usersettingscollection", "workflows"),
}
# Functions and actions, bound to a record, to a set or to nothing.
OPERATIONS = {
    *("AddToQueue", "Associate", "CalculatePrice", "CalculateRollupField", "CloneProduct", "CreateEntities"),
    *("ConvertQuoteToSalesOrder", "ConvertSalesOrderToInvoice", "Disassociate", "ExecuteByIdSavedQuery"),
    *("ExportSolution", "GenerateSalesOrderFromOpportunity", "GetSalesOrderProductsFromOpportunity", "GrantAccess"),
    *("ImportSolution", "InitializeFrom", "IsValidStateTransition", "LockInvoicePricing", "Merge", "ModifyAccess"),
    *("PublishAllXml", "PublishProductHierarchy", "PublishXml", "RetrieveAvailableLanguages"),
    *("RetrieveCurrentOrganization", "RetrieveDuplicates", "RetrieveEntityChanges", "RetrieveMetadataChanges"),
    *("RetrievePrincipalAccess", "RetrieveTimestamp", "RetrieveTotalRecordCount", "RetrieveUserPrivileges"),
    *("RetrieveVersion", "RevertProduct", "RevokeAccess", "SetProcess", "UnlockInvoicePricing", "UpdateEntities"),
    *("ValidateRecurrenceRule", "DeleteMultiple"),
}
