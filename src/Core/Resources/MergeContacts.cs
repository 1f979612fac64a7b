using System.Text.Json;
using NodeStash.Core.Records;
using NodeStash.Core.Storage;

namespace NodeStash.Core.Resources;

/// <summary>Makes one contact of several: the target keeps what it has and takes from the others what it lacks. contract/resource-router.md, Merge.</summary>
public static class MergeContacts
{
    private const int MostSources = 50;
    private const string SourceIds = "source_ids";
    private const string TargetId = "target_id";

    /// <summary>The claim that says where a merged contact went.</summary>
    public static string ClaimOf(string sourceId) => $"contact:merged:{sourceId}";

    /// <param name="records">The caller's records.</param>
    /// <param name="body"><c>source_ids</c> and <c>target_id</c>; the target among the sources is left out.</param>
    /// <param name="ct">Ends the wait.</param>
    /// <returns>The target as it is then.</returns>
    public static async ValueTask<Result<StoredRecord>> Run(RecordSet records, JsonElement body, CancellationToken ct)
    {
        var faults = new Faults();
        foreach (var member in body.EnumerateObject().Where(m => m.Name is not (SourceIds or TargetId))) faults.Add(member.Name, Suggestion.Unknown("field", member.Name, [SourceIds, TargetId]));
        var target = ReadId(body, TargetId, faults);
        var sources = ReadSources(body, faults).Where(id => id != target).ToList();
        if (!faults.Any && sources.Count == 0) faults.Add(SourceIds, "Nothing is left to merge: name a contact other than the target");
        if (faults.Any) return Error.Invalid(faults.All);
        return await records.Update(Contact.Schema, target!, ifVersion: null, (change, wrong, inner) => Merge(change, sources, wrong, inner), ct);
    }

    private static async ValueTask<Error?> Merge(Change change, IReadOnlyList<string> ids, Faults faults, CancellationToken ct)
    {
        var (schema, target) = (Contact.Schema, change.After!);
        change.IsCarriedOver = true;
        foreach (var id in ids)
        {
            if (await change.Store.Find(schema.Type, id, ct) is not { } stored) return Error.NotFound(schema.Noun, id);
            var source = Record.Load(schema, stored);
            Fill(target, source, faults);
            change.With.Add(change.Beside(source, null));
            change.Writes.Add(new Write.Claim(ClaimOf(id), target.Id));
        }

        foreach (var (holder, link) in Catalog.LinksTo(schema.Type)) change.Reaches.Add(new WideChange(holder.Type, new KeyPath(link.Name), ids, target.Id));

        change.Reaches.AddRange(await Relations.To(schema, ids, target.Id, change.Store, ct));

        // The event shows the contact as it is stored, which is when updated_at is set.
        target[schema.UpdatedAt] = Text.ToSecond(change.Now);
        change.Events.Add(new ExtraEvent("contact.merged", schema.Type, target.Id, target.Version, target.Store().Attributes, SourceIds: ids));
        return null;
    }

    /// <summary>Gives the target what it lacks.</summary>
    private static void Fill(Record target, Record source, Faults faults)
    {
        foreach (var field in target.Schema.Fields.Where(f => f.Access is FieldAccess.ReadWrite))
        {
            target[field] = field switch
            {
                MapField map => map.Merge(map.Of(source), map.Of(target), faults),
                TextListField list => list.Of(target).Union(list.Of(source), StringComparer.Ordinal).Take(list.Most).ToList(),
                _ => target[field] ?? source[field],
            };
        }
    }

    private static string? ReadId(JsonElement body, string name, Faults faults)
    {
        if (!body.TryGetProperty(name, out var value)) return (string?)faults.Add(name, "Required");
        return IdIn(value, name, faults);
    }

    private static string? IdIn(JsonElement value, string path, Faults faults)
    {
        if (value.ValueKind is not JsonValueKind.String) return (string?)faults.WrongType(path, "a string", value);
        return Ids.IsId(value.GetString()!, Contact.Schema.Prefix) ? value.GetString() : (string?)faults.Add(path, Ids.Expected(Contact.Schema.Prefix));
    }

    private static IEnumerable<string> ReadSources(JsonElement body, Faults faults)
    {
        if (!body.TryGetProperty(SourceIds, out var listed)) faults.Add(SourceIds, "Required");
        else if (listed.ValueKind is not JsonValueKind.Array) faults.WrongType(SourceIds, "an array", listed);
        else if (listed.GetArrayLength() is 0 or > MostSources) faults.Add(SourceIds, $"Expected 1 to {MostSources} ids");
        else return listed.EnumerateArray().Select((value, i) => IdIn(value, $"{SourceIds}[{i}]", faults)).OfType<string>().Distinct(StringComparer.Ordinal).ToList();
        return [];
    }
}
