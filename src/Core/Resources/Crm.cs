using NodeStash.Core.Access;
using NodeStash.Core.Records;
using NodeStash.Core.Webhooks;

namespace NodeStash.Core.Resources;

/// <summary>Lists the resources of the product. A new resource is added here.</summary>
public static class Crm
{
    /// <summary>The catalog of all resources. It derives those of custom objects from their type.</summary>
    public static Catalog Catalog { get; } = new(
        [Contact.Schema, Company.Schema, Pipeline.Schema, Deal.Schema, Activity.Schema, Tag.Schema, CustomField.Schema, CustomObject.Schema, Webhook.Schema,
            ApiKey.Schema],
        CustomRecord.Of,
        CustomRecord.Schema)
    {
        CheckCustomFields = CustomFieldCheck.Run,
        ClearRelations = (deleted, store, ct) => Relations.Redirect(deleted.Schema, [deleted.Id], null, store, ct),
    };
}
