using System.Text.Json;
using NodeStash.Core.Records;
using NodeStash.Core.Values;

namespace NodeStash.Core.Resources;

/// <summary>Checks the custom fields of a record against the definitions of its environment.</summary>
internal static class CustomFieldCheck
{
    /// <summary>Checks the values that changed, and that no required value is missing: on create any, on update one that was there.</summary>
    public static async ValueTask Run(Change change, ValidationErrors errors, CancellationToken ct)
    {
        if (change.After is not { } record || record.Schema.CustomFields is not { } field) return;
        if (change.Before is not null && (change.IsCopied || !change.Changes(field))) return;
        var (old, values) = (change.Before is null ? JsonMap.Empty : field.Of(change.Before), field.Of(record));
        foreach (var definition in await CustomField.DefinitionsOf(record.Schema, change.Store, ct))
        {
            var path = $"{field.Name}.{definition.Slug}";
            if (values[definition.Slug] is not { } value)
            {
                if (definition.IsRequired && (change.Before is null || old[definition.Slug] is not null)) errors.Add(path, "Required");
            }
            else if (!(old[definition.Slug] is { } before && JsonElement.DeepEquals(before, value)) && definition.CheckValue(value) is { } problem)
            {
                errors.Add(path, problem);
            }
        }
    }
}
