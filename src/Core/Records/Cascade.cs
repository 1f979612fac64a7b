using System.Text.Json;
using NodeStash.Core.Events;
using NodeStash.Core.Storage;
using NodeStash.Core.Values;

namespace NodeStash.Core.Records;

/// <summary>
/// Replaces or clears one value in every record of a type that has it, or deletes those records. Examples: clear the links to a deleted company,
/// rename a tag. A cascade that reaches many records is announced in one commit. From then on every reader sees it complete
/// (<see cref="CascadeOverlay"/>), while <see cref="CascadeWorker"/> changes the records in batches. Source: docs/adr/0010-cascades.md.
/// </summary>
/// <param name="Schema">The resource whose records change.</param>
/// <param name="Path">The path of the value: a link, a time, a list of texts such as tags, or a custom field.</param>
/// <param name="From">The values to replace, in the form of storage keys. Null means any value; empty means records without a value.</param>
/// <param name="To">The value to set instead; null clears it. In custom fields, only ids of relations can be set.</param>
/// <param name="Only">A link that a record must have to be changed; null changes all records.</param>
/// <param name="DeletesRecords">Whether matching records are deleted. A null <paramref name="From"/> then means all records of the type.</param>
public sealed record Cascade(Schema Schema, KeyPath Path, IReadOnlyList<string>? From, string? To = null, LinkFilter? Only = null, bool DeletesRecords = false)
{
    /// <summary>The type of the records that change.</summary>
    public string Type => Schema.Type;

    /// <summary>The field that holds the value.</summary>
    internal Field Field => Schema.Find(Path.Name) ?? throw new InvalidOperationException($"A {Type} has no {Path.Name}.");

    /// <summary>Matches the stored records that the cascade has yet to change.</summary>
    public Condition Matches => Only is null ? HasValue : new Condition.All([new Condition.Equal(LinkPath(Only), Only.Id), HasValue]);

    /// <summary>The new value in the form of storage keys; null if the value is cleared.</summary>
    internal string? ReplacementKey => To is not null && Field is MapField ? Text.Fold(To) : To;

    private Condition HasValue =>
        From is null && DeletesRecords ? Condition.Always : From is null ? new Condition.Not(new Condition.Equal(Path, null)) : Field switch
        {
            TimeField => new Condition.Equal(Path, null),
            LinkField => new Condition.In(Path, From),
            TextListField => new Condition.Any([.. From.Select(text => new Condition.Has(Path, text))]),
            _ => new Condition.Any([new Condition.In(Path, From), .. From.Select(text => new Condition.Has(Path, text))]),
        };

    /// <summary>Tells whether the cascade replaces this value; false for null.</summary>
    /// <param name="value">A value in the form of storage keys.</param>
    public bool Replaces(string? value) => value is not null && From?.Contains(value, StringComparer.Ordinal) == true;

    /// <summary>Tells whether the cascade deletes this record.</summary>
    public bool Deletes(Record record) => DeletesRecords && (From is null || Replaces((string?)record[Field]));

    /// <summary>Replaces or clears the value in a record that has it. A cascade that deletes records changes no value.</summary>
    public void Apply(Record record)
    {
        if (Only is not null && LinkedId(record, Only) != Only.Id) return;
        switch (Field)
        {
            case var _ when DeletesRecords:
                break;
            case TimeField time when time.Of(record) is null == (From is not null):
                record[time] = To is not null && Text.TryTime(To, out var at) ? at : null;
                break;
            case LinkField link when Replaces(link.Of(record)):
                record[link] = To;
                break;
            case TextListField list when list.Of(record).Any(Replaces):
                record[list] = list.Of(record).Select(text => Replaces(text) ? To : text).OfType<string>().Distinct(StringComparer.Ordinal).ToList();
                break;
            case MapField map when map.Of(record)[Path.Inner!] is { } value:
                if (From is null || IsReplaced(value))
                    record[map] = To is null
                        ? map.Of(record).Without(Path.Inner!)
                        : map.Of(record).Merge(new JsonMap([new(Path.Inner!, JsonElement.Parse($"\"{To}\""))]));
                else if (value.ValueKind is JsonValueKind.Array && value.EnumerateArray().Any(IsReplaced)) record[map] = RemoveItems(map.Of(record), value);
                if (Only is not null && Schema.Find(Only.Link) is MapField links) record[links] = links.Of(record).Without(Path.Inner!);
                break;
        }
    }

    /// <summary>Gives the path of the link. In a map of links it is the entry with the same name as the value.</summary>
    private KeyPath LinkPath(LinkFilter only) => new(only.Link, Schema.Find(only.Link) is MapField ? Path.Inner : null);

    /// <summary>Reads the id that the record's link holds; null for none.</summary>
    private string? LinkedId(Record record, LinkFilter only) =>
        Schema.Find(only.Link) is MapField map ? map.Of(record)[Path.Inner!]?.GetString() : (string?)record[Schema.Find(only.Link)!];

    private bool IsReplaced(JsonElement value) => value.ValueKind is JsonValueKind.String && Replaces(Text.Fold(value.GetString()!));

    /// <summary>Removes the replaced items from a list in the map; removes the list if no item is left.</summary>
    private JsonMap RemoveItems(JsonMap map, JsonElement list)
    {
        var rest = list.EnumerateArray().Where(item => !IsReplaced(item)).Select(item => item.GetRawText()).ToList();
        return rest.Count == 0 ? map.Without(Path.Inner!) : map.Merge(new JsonMap([new(Path.Inner!, JsonElement.Parse($"[{string.Join(',', rest)}]"))]));
    }
}

/// <summary>Selects records by a link they have.</summary>
/// <param name="Link">The name of the link field, e.g. <c>stage_id</c>, or of a map that holds one link per name.</param>
/// <param name="Id">The id that the link must hold.</param>
public sealed record LinkFilter(string Link, string Id);

/// <summary>Describes a cascade that was announced and has not reached its last record.</summary>
/// <param name="Id">The id of the pending cascade, <c>job_…</c>.</param>
/// <param name="Cascade">The change to make.</param>
/// <param name="Origin">The request that caused it; the events of the changed records name it.</param>
public sealed record PendingCascade(string Id, Cascade Cascade, Origin Origin)
{
    /// <summary>
    /// Merges another cascade of the same request into this one, if both only clear values. So a batch of deletions needs few cascades.
    /// </summary>
    /// <returns>The merged cascade; null if the two can't be merged.</returns>
    internal PendingCascade? TryMerge(Cascade other, Origin by) =>
        by == Origin && Cascade is { To: null, Only: null, From: { } values } && other is { To: null, Only: null, From: { } otherValues }
            ? this with { Cascade = Cascade with { From = [.. values, .. otherValues] } }
            : null;
}

/// <summary>
/// Lists the pending cascades of an environment. The list is one stored record, so a reader learns of them with one point read.
/// </summary>
/// <param name="Version">The version of that record; 0 if no cascade was ever announced.</param>
/// <param name="Pending">The pending cascades, in the order they were announced.</param>
/// <param name="At">The time when a cascade was last announced or finished.</param>
public sealed record PendingCascades(long Version, IReadOnlyList<PendingCascade> Pending, DateTimeOffset At)
{
    /// <summary>The number of cascades that may be pending at once. Every read rewrites its conditions for each of them.</summary>
    private const int MaxPending = 200;

    /// <summary>The type, and the id, of the stored record.</summary>
    internal const string Name = "wide_changes";

    private static PendingCascades None { get; } = new(0, [], DateTimeOffset.MinValue);

    /// <summary>Reads the pending cascades of an environment. An overlay that has read before answers those it applied to that read.</summary>
    public static ValueTask<PendingCascades> Read(IWorkspaceStore store, Catalog catalog, CancellationToken ct) =>
        store.WithArchived is CascadeOverlay { LastRead: { } pending } ? ValueTask.FromResult(pending) : ReadStored(store, catalog, ct);

    /// <summary>Reads the pending cascades from the store, even through an overlay.</summary>
    internal static async ValueTask<PendingCascades> ReadStored(IWorkspaceStore store, Catalog catalog, CancellationToken ct) =>
        (await store.Memoized<PendingCascades>(
            Name, Name, async inner => await store.Find(Name, Name, inner) is { } stored ? Load(stored, catalog) : None, ct))!;

    private static PendingCascades Load(StoredRecord stored, Catalog catalog)
    {
        var json = JsonElement.Parse(stored.Attributes.Span);
        return new PendingCascades(stored.Version, [.. json.GetProperty("changes").EnumerateArray().Select(item => ReadCascade(item, catalog))],
            json.GetProperty("at").GetDateTimeOffset());
    }

    /// <summary>Tells whether a pending cascade replaces values that another cascade would replace too. The other one then has to wait.</summary>
    public bool Conflicts(Cascade other) => Pending.Any(c => c.Cascade.Type == other.Type && c.Cascade.Path == other.Path
        && (other.From is null || (c.Cascade.Only is not null ? other.Only is not null : c.Cascade.From is null || other.From.Any(c.Cascade.Replaces))));

    /// <summary>Finds the final replacement of a cascade whose own replacement is replaced by later cascades.</summary>
    /// <returns>The final value; null if later cascades clear it, or if none replaces it.</returns>
    public string? FinalReplacement(Cascade cascade)
    {
        var replacement = cascade.ReplacementKey;
        foreach (var (_, later, _) in Pending.SkipWhile(c => c.Cascade != cascade).Skip(1))
        {
            if (later.Type == cascade.Type && later.Path == cascade.Path && later.Replaces(replacement)) replacement = later.ReplacementKey;
        }

        return replacement == cascade.ReplacementKey ? null : replacement;
    }

    /// <summary>Finds a field that a change sets to a value which a pending cascade is replacing or clearing.</summary>
    /// <returns>The field's name, e.g. <c>tags</c> or <c>custom_fields.size</c>; null if there is none.</returns>
    public string? FieldBeingCleared(Change change)
    {
        foreach (var (_, cascade, _) in Pending.Where(c => c.Cascade.Type == change.Subject.Schema.Type && c.Cascade.Field is MapField or TextListField))
        {
            var applied = change.After!.Next();
            cascade.Apply(applied);
            if (applied.ChangedSince(change.After).Any() && (change.Before is null || change.Changes(cascade.Field)))
                return cascade.Path.Inner is { } slug ? $"{cascade.Path.Name}.{slug}" : cascade.Path.Name;
        }

        return null;
    }

    /// <summary>Adds cascades to the list. The caller writes the new list in the commit that announces them.</summary>
    /// <returns>The next version of the list; null if more than 200 cascades would be pending.</returns>
    public PendingCascades? Announce(IEnumerable<Cascade> cascades, Origin origin, Ids ids, DateTimeOffset now)
    {
        var all = Pending.ToList();
        foreach (var cascade in cascades)
        {
            if (all.FindLastIndex(c => c.Cascade.Type == cascade.Type && c.Cascade.Path == cascade.Path) is >= 0 and var last
                && all[last].TryMerge(cascade, origin) is { } merged) all[last] = merged;
            else all.Add(new PendingCascade(ids.New("job_"), cascade, origin));
        }

        return all.Count > MaxPending ? null : new PendingCascades(Version + 1, all, now);
    }

    /// <summary>Raises the version and keeps the list. A commit that writes the result is refused if a cascade was announced since the read.</summary>
    public PendingCascades Touch() => this with { Version = Version + 1 };

    /// <summary>Removes a cascade that has reached its last record.</summary>
    /// <returns>The next version of the list.</returns>
    public PendingCascades Remove(string id, DateTimeOffset now) => new(Version + 1, [.. Pending.Where(c => c.Id != id)], now);

    /// <summary>Creates the write that stores the list. Its commit is refused unless the stored version is the one before.</summary>
    public Write Write()
    {
        var stored = new StoredRecord(Name, Name, Version, JsonForm.Object(writer =>
        {
            writer.WriteString("at"u8, At);
            writer.WriteStartArray("changes"u8);
            foreach (var pending in Pending) WriteCascade(writer, pending);
            writer.WriteEndArray();
        }));
        var noKeys = "{}"u8.ToArray();
        return Version == 1 ? new Write.Insert(stored, noKeys) : new Write.Replace(stored, noKeys);
    }

    private static void WriteCascade(Utf8JsonWriter writer, PendingCascade pending)
    {
        var (cascade, origin) = (pending.Cascade, pending.Origin);
        writer.WriteStartObject();
        writer.WriteString("id"u8, pending.Id);
        writer.WriteString("type"u8, cascade.Type);
        writer.WriteString("name"u8, cascade.Path.Name);
        writer.WriteString("inner"u8, cascade.Path.Inner);
        writer.WriteString("to"u8, cascade.To);
        writer.WriteString("link"u8, cascade.Only?.Link);
        writer.WriteString("linked_to"u8, cascade.Only?.Id);
        if (cascade.DeletesRecords) writer.WriteBoolean("removes"u8, true);
        writer.WriteString("triggered_by"u8, origin.SourceName);
        writer.WriteString("actor"u8, origin.Actor);
        writer.WriteString("request_id"u8, origin.RequestId);
        if (origin.Depth > 0) writer.WriteNumber("depth"u8, origin.Depth);
        if (cascade.From is { } from)
        {
            writer.WriteStartArray("from"u8);
            foreach (var value in from) writer.WriteStringValue(value);
            writer.WriteEndArray();
        }

        writer.WriteEndObject();
    }

    private static PendingCascade ReadCascade(JsonElement json, Catalog catalog)
    {
        string? TextOf(string name) => json.GetProperty(name).GetString();
        List<string>? from = json.TryGetProperty("from", out var values) ? [.. values.EnumerateArray().Select(v => v.GetString()!)] : null;
        var only = TextOf("link") is { } link ? new LinkFilter(link, TextOf("linked_to")!) : null;
        var cascade = new Cascade(
            catalog.Find(TextOf("type")!), new KeyPath(TextOf("name")!, TextOf("inner")), from, TextOf("to"), only, json.TryGetProperty("removes", out _));
        var depth = json.TryGetProperty("depth", out var stored) ? stored.GetInt32() : 0;
        var origin = new Origin(Origin.SourceOf(TextOf("triggered_by")!), TextOf("actor"), TextOf("request_id"), depth);
        return new PendingCascade(TextOf("id")!, cascade, origin);
    }
}
