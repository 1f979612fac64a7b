using System.Text.Json;
using NodeStash.Core.Storage;
using NodeStash.Core.Values;

namespace NodeStash.Core.Records;

/// <summary>
/// Defines what answers show of records: which attributes, and which data of related records. Source: docs/api/v1.md, Include and fields.
/// </summary>
/// <param name="includes">The related data to show, in order.</param>
/// <param name="fields">The attributes to show; null for all. The id is always shown.</param>
public sealed class View(IReadOnlyList<Include> includes, HashSet<string>? fields)
{
    /// <summary>Whether the view shows data of other records. The version of a record then does not tell whether its answer has changed.</summary>
    public bool Includes => includes.Count > 0;

    /// <summary>The types of the related records whose data the view shows. The caller needs the scope to read each of them.</summary>
    public IEnumerable<string> RelatedTypes => includes.Select(i => i.Type).Distinct();

    /// <summary>Renders records: adds the related data and leaves out attributes that are not shown.</summary>
    /// <returns>The rendered records, in the order given.</returns>
    public async ValueTask<IReadOnlyList<StoredRecord>> Of(IReadOnlyList<StoredRecord> records, IWorkspaceStore store, CancellationToken ct)
    {
        if (records.Count == 0 || (includes.Count == 0 && fields is null)) return records;
        var added = new List<IReadOnlyList<Included>>();
        foreach (var include in includes) added.Add(await include.Load(records, store, ct));
        return [.. records.Select((record, i) => Render(record, [.. added.Select(members => members[i])]))];
    }

    private StoredRecord Render(StoredRecord record, IReadOnlyList<Included> added) => record with
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

/// <summary>Defines related data that can be included in the attributes of a record.</summary>
/// <param name="Name">The name in <c>include=</c>, and in the answer.</param>
/// <param name="Type">The type of the related records.</param>
/// <param name="Load">Loads the data for some records: one item for each record, in order.</param>
public sealed record Include(
    string Name, string Type, Func<IReadOnlyList<StoredRecord>, IWorkspaceStore, CancellationToken, ValueTask<IReadOnlyList<Included>>> Load)
{
    private const int MaxListed = 100;

    /// <summary>Includes the record that a link points to, as a flat object; null if the link is empty.</summary>
    public static Include Linked(LinkField link) => new(link.Name[..^"_id".Length], link.TargetType, async (records, store, ct) =>
    {
        var ids = records.Select(r => IdIn(r, link)).ToList();
        var targets = await store.FindMany(link.TargetType, [.. ids.OfType<string>().Distinct()], ct);
        var byId = targets.ToDictionary(t => t.Id, t => t.Attributes, StringComparer.Ordinal);
        return [.. ids.Select(id => new Included(new Member(link.Name[..^"_id".Length], id is null ? null : byId.GetValueOrDefault(id))))];
    });

    /// <summary>Includes the records of a type that link to the record: at most 100, newest first, as flat objects.</summary>
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

    /// <summary>Includes the number of records of a type that link to the record.</summary>
    public static Include Count(string name, string type, string link) => new(name, type, async (records, store, ct) =>
    {
        var counts = await store.CountEach(type, new KeyPath(link), [.. records.Select(r => r.Id)], Condition.Always, ct);
        return [.. records.Select(r => new Included(Member.Number(name, counts.GetValueOrDefault(r.Id))))];
    });

    /// <summary>Reads the id that the link of a stored record holds; null for none.</summary>
    public static string? IdIn(StoredRecord record, LinkField link) =>
        JsonElement.Parse(record.Attributes.Span).TryGetProperty(link.Name, out var id) ? id.GetString() : null;
}

/// <summary>Holds the data that an include adds to one record.</summary>
/// <param name="Added">The attribute to add.</param>
/// <param name="Replaces">A new value for an attribute that the record has already; null for none.</param>
public sealed record Included(Member Added, Member? Replaces = null);

/// <summary>Holds one attribute as JSON.</summary>
/// <param name="Name">The name of the attribute.</param>
/// <param name="Json">The value as UTF-8 JSON; null for JSON null.</param>
public sealed record Member(string Name, ReadOnlyMemory<byte>? Json)
{
    /// <summary>Creates an attribute with a number.</summary>
    public static Member Number(string name, long number) => new(name, System.Text.Encoding.ASCII.GetBytes(Text.Invariant(number)));

    internal void Write(Utf8JsonWriter writer)
    {
        writer.WritePropertyName(Name);
        if (Json is { IsEmpty: false } json) writer.WriteRawValue(json.Span, skipInputValidation: true);
        else writer.WriteNullValue();
    }
}
