using System.Text.Json;
using NodeStash.Core.Storage;
using NodeStash.Core.Values;

namespace NodeStash.Core.Records;

/// <summary>
/// How records are answered beyond their own attributes: what is included of others, and what is left out. docs/api/v1.md, Include and fields.
/// </summary>
/// <param name="includes">What is shown of other records, in order.</param>
/// <param name="fields">The attributes to show; null for all. The id always is.</param>
public sealed class View(IReadOnlyList<Include> includes, HashSet<string>? fields)
{
    /// <summary>Whether it shows what other records are, so that a record's own version does not tell whether the answer is the same.</summary>
    public bool Includes => includes.Count > 0;

    /// <summary>The types of records it shows something of, beside the resource's own: the caller needs the right to read each.</summary>
    public IEnumerable<string> RelatedTypes => includes.Select(i => i.Type).Distinct();

    /// <summary>The records as this view shows them.</summary>
    public async ValueTask<IReadOnlyList<StoredRecord>> Of(IReadOnlyList<StoredRecord> records, IWorkspaceStore store, CancellationToken ct)
    {
        if (records.Count == 0 || (includes.Count == 0 && fields is null)) return records;
        var added = new List<IReadOnlyList<Included>>();
        foreach (var include in includes) added.Add(await include.Load(records, store, ct));
        return [.. records.Select((record, i) => Show(record, [.. added.Select(members => members[i])]))];
    }

    private StoredRecord Show(StoredRecord record, IReadOnlyList<Included> added) => record with
    {
        Attributes = JsonForm.Object(writer =>
        {
            foreach (var property in JsonElement.Parse(record.Attributes.Span).EnumerateObject())
            {
                if (property.Name is not "id" && fields?.Contains(property.Name) == false) continue;
                if (added.FirstOrDefault(a => a.Replaces?.Name == property.Name)?.Replaces is { } replaced) replaced.Write(writer);
                else property.WriteTo(writer);
            }

            foreach (var member in added) member.Added.Write(writer);
        }),
    };
}

/// <summary>Something that can be included in a record's attributes.</summary>
/// <param name="Name">As asked for, and as it is called in the answer.</param>
/// <param name="Type">The type of records it shows something of.</param>
/// <param name="Load">Answers one for each record, in order.</param>
public sealed record Include(
    string Name, string Type, Func<IReadOnlyList<StoredRecord>, IWorkspaceStore, CancellationToken, ValueTask<IReadOnlyList<Included>>> Load)
{
    private const int MaxListed = 100;

    /// <summary>The record a link points to, as a flat object; null where it points to none.</summary>
    public static Include Linked(LinkField link) => new(link.Name[..^"_id".Length], link.TargetType, async (records, store, ct) =>
    {
        var ids = records.Select(r => IdIn(r, link)).ToList();
        var targets = await store.FindMany(link.TargetType, [.. ids.OfType<string>().Distinct()], ct);
        var byId = targets.ToDictionary(t => t.Id, t => t.Attributes, StringComparer.Ordinal);
        return [.. ids.Select(id => new Included(new Member(link.Name[..^"_id".Length], id is null ? null : byId.GetValueOrDefault(id))))];
    });

    /// <summary>The records that link here, newest first, at most 100, as flat objects.</summary>
    public static Include Linking(string name, string type, string link) => new(name, type, async (records, store, ct) =>
    {
        var included = new List<Included>();
        foreach (var record in records)
        {
            var query = new RecordQuery(
                type, new Condition.Equal(new KeyPath(link), record.Id), [new SortKey(new KeyPath("created_at"), Descending: true)], null, MaxListed);
            var page = await store.Query(query, ct);
            included.Add(new Included(new Member(name, JsonForm.Array(page.Records.Select(r => r.Attributes)))));
        }

        return included;
    });

    /// <summary>How many records link here.</summary>
    public static Include Count(string name, string type, string link) => new(name, type, async (records, store, ct) =>
    {
        var counts = await store.CountEach(type, new KeyPath(link), [.. records.Select(r => r.Id)], Condition.Always, ct);
        return [.. records.Select(r => new Included(Member.Number(name, counts.GetValueOrDefault(r.Id))))];
    });

    /// <summary>The id a record's link holds; null for none.</summary>
    public static string? IdIn(StoredRecord record, LinkField link) =>
        JsonElement.Parse(record.Attributes.Span).TryGetProperty(link.Name, out var id) ? id.GetString() : null;
}

/// <param name="Added">What comes to the attributes.</param>
/// <param name="Replaces">An attribute that is shown otherwise because of it; null for none.</param>
public sealed record Included(Member Added, Member? Replaces = null);

/// <param name="Name">Of the attribute.</param>
/// <param name="Json">Its value, UTF-8 JSON; null for null.</param>
public sealed record Member(string Name, ReadOnlyMemory<byte>? Json)
{
    public static Member Number(string name, long number) => new(name, System.Text.Encoding.ASCII.GetBytes(Text.Invariant(number)));

    internal void Write(Utf8JsonWriter writer)
    {
        writer.WritePropertyName(Name);
        if (Json is { IsEmpty: false } json) writer.WriteRawValue(json.Span, skipInputValidation: true);
        else writer.WriteNullValue();
    }
}
