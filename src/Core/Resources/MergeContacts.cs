using System.Text.Json;
using NodeStash.Core.Events;
using NodeStash.Core.Records;
using NodeStash.Core.Storage;
using NodeStash.Core.Values;

namespace NodeStash.Core.Resources;

/// <summary>
/// Merges contacts into a target: it keeps its values, takes those it lacks from the sources, and the sources are deleted. Source:
/// docs/api/v1.md, Merge.
/// </summary>
public static class MergeContacts
{
    private static readonly ListField SourceIds = new("source_ids", new LinkField("id", "ct_", "contact"), 1, 50, "ids")
    {
        IsRequired = true, Description = "The contacts that become part of the target; the target among them is left out.",
    };

    private static readonly LinkField TargetId = new("target_id", "ct_", "contact")
    {
        IsRequired = true, Description = "The contact that stays.",
    };

    /// <summary>The form of the body of a merge.</summary>
    public static Form Form { get; } = new(SourceIds, TargetId);

    /// <summary>Returns the unique key, held by the target, that tells where a merged contact went.</summary>
    public static string UniqueKeyOf(string sourceId) => $"contact:merged:{sourceId}";

    /// <summary>Merges the source contacts into the target, in one commit.</summary>
    /// <param name="records">The caller's records.</param>
    /// <param name="body">The body, as in <see cref="Form"/>.</param>
    /// <param name="ct">Ends the wait.</param>
    /// <returns>The target after the merge, or an error if a contact does not exist.</returns>
    public static async ValueTask<Result<StoredRecord>> Run(RecordSet records, JsonElement body, CancellationToken ct)
    {
        var given = Form.Read(body);
        if (given.Error is { } wrong) return wrong;
        var target = (string)given.Value[TargetId]!;
        var sources = ((IReadOnlyList<object>)given.Value[SourceIds]!).Cast<string>().Where(id => id != target).Distinct(StringComparer.Ordinal).ToList();
        if (sources.Count == 0) return Error.Invalid(SourceIds.Name, "Nothing is left to merge: name a contact other than the target");
        return await records.Update(Contact.Schema, target, ifVersion: null, (change, wrong, inner) => Merge(change, sources, wrong, inner), ct);
    }

    private static async ValueTask<Error?> Merge(Change change, IReadOnlyList<string> ids, ValidationErrors errors, CancellationToken ct)
    {
        var (schema, target) = (Contact.Schema, change.After!);
        change.IsCopied = true;
        foreach (var id in ids)
        {
            if (await change.Store.Find(schema.Type, id, ct) is not { } stored) return Error.NotFound(schema.Noun, id);
            var source = Record.Load(schema, stored);
            CopyMissing(target, source, errors);
            change.With.Add(change.Beside(source, null));
            change.Writes.Add(new Write.Reserve(UniqueKeyOf(id), target.Id));
        }

        foreach (var (holder, link) in Crm.Catalog.LinksTo(schema.Type)) change.Cascades.Add(new Cascade(holder, new KeyPath(link.Name), ids, target.Id));

        change.Cascades.AddRange(await Relations.Redirect(schema, ids, target.Id, change.Store, ct));

        // Rules run before updated_at is set; the event shows the contact as it is stored.
        target[schema.UpdatedAt] = Text.ToSecond(change.Now);
        change.Events.Add(new ExtraEvent("contact.merged", schema.Type, target.Id, target.Version, target.Store().Attributes, SourceIds: ids));
        return null;
    }

    /// <summary>Copies to the target the values that it lacks.</summary>
    private static void CopyMissing(Record target, Record source, ValidationErrors errors)
    {
        foreach (var field in target.Schema.Fields.Where(f => f.Access is FieldAccess.ReadWrite))
        {
            target[field] = field switch
            {
                MapField map => map.Merge(map.Of(source), map.Of(target), errors),
                TextListField list => list.Of(target).Union(list.Of(source), StringComparer.Ordinal).Take(list.MaxItems).ToList(),
                _ => target[field] ?? source[field],
            };
        }
    }
}
