using System.Text.Json;
using NodeStash.Core.Resources;

namespace NodeStash.Core.Records;

/// <summary>Holds a record's custom fields against the definitions of its data set.</summary>
internal static class CustomFieldCheck
{
    /// <summary>Checks the slugs that the client gave; on create also that none is missing that is required.</summary>
    /// <returns>A conflict where one of the values is being taken from all records; null otherwise.</returns>
    public static async ValueTask<Error?> Run(Change change, Faults faults, CancellationToken ct)
    {
        if (change.After is not { } record || record.Schema.CustomFields is not { } field) return null;
        if (change.Before is not null && !change.Changes(field)) return null;
        var (old, values) = (change.Before is null ? JsonMap.Empty : field.Of(change.Before), field.Of(record));
        foreach (var definition in await CustomField.DefinitionsOf(record.Schema.Type, change.Store, ct))
        {
            var path = $"{field.Name}.{definition.Slug}";
            if (values[definition.Slug] is not { } value)
            {
                if (definition.IsRequired && (change.Before is null || old[definition.Slug] is not null)) faults.Add(path, "Required");
            }
            else if (!(old[definition.Slug] is { } before && JsonElement.DeepEquals(before, value)) && definition.Fault(value) is { } fault)
            {
                faults.Add(path, fault);
            }
        }

        var set = values.Where(v => !(old[v.Key] is { } before && JsonElement.DeepEquals(before, v.Value))).Select(v => v.Key).ToList();
        if (set.Count == 0) return null;
        var underWay = await WideChanges.Read(change.Store, ct);
        return set.Find(slug => underWay.Forget(record.Schema.Type, slug)) is { } forgotten
            ? Error.Conflict($"The values of the deleted custom field '{forgotten}' are still being taken away; try again in a moment", $"{field.Name}.{forgotten}")
            : null;
    }
}
