using System.Text.Json;
using NodeStash.Core.Events;
using NodeStash.Core.Storage;
using NodeStash.Core.Values;

namespace NodeStash.Core.Records;

/// <summary>
/// One value that every record of a type gives up, for another one or for none: a link to what is deleted, a tag that is renamed. Or every record of
/// a type that has a value is removed itself. Where many records have it, the change is announced in one commit, and from then on every reader sees
/// it whole (<see cref="CascadeOverlay"/>), while the records themselves follow in batches (<see cref="CascadeWorker"/>).
/// </summary>
/// <param name="Schema">The resource whose records change.</param>
/// <param name="Path">Where they have the value: a link, a time, a list of texts such as tags, or a custom field.</param>
/// <param name="From">The value, or several, as the key holds them; null for whatever it is, empty for none.</param>
/// <param name="To">What takes its place; null for nothing. Of custom fields only for the ids of relations.</param>
/// <param name="Only">Only in records that link there; null for all.</param>
/// <param name="DeletesRecords">Whether the records themselves are removed; then a null <paramref name="From"/> means all of the type.</param>
public sealed record Cascade(Schema Schema, KeyPath Path, IReadOnlyList<string>? From, string? To = null, LinkFilter? Only = null, bool DeletesRecords = false)
{
    /// <summary>The type of the records.</summary>
    public string Type => Schema.Type;

    internal Field Field => Schema.Find(Path.Name) ?? throw new InvalidOperationException($"A {Type} has no {Path.Name}.");

    /// <summary>The records that still have the value. One that was changed no longer matches.</summary>
    public Condition Matches => Only is null ? HasValue : new Condition.All([new Condition.Equal(LinkPath(Only), Only.Id), HasValue]);

    /// <summary>What takes the place, as the key holds it.</summary>
    internal string? ToKey => To is not null && Field is MapField ? Text.Fold(To) : To;

    private Condition HasValue =>
        From is null && DeletesRecords ? Condition.Always : From is null ? new Condition.Not(new Condition.Equal(Path, null)) : Field switch
        {
            TimeField => new Condition.Equal(Path, null),
            LinkField => new Condition.In(Path, From),
            TextListField => new Condition.Any([.. From.Select(text => new Condition.Has(Path, text))]),
            _ => new Condition.Any([new Condition.In(Path, From), .. From.Select(text => new Condition.Has(Path, text))]),
        };

    /// <summary>Whether it is one of the values given up.</summary>
    public bool Replaces(string? value) => value is not null && From?.Contains(value, StringComparer.Ordinal) == true;

    /// <summary>Whether the record is one that is removed.</summary>
    public bool Deletes(Record record) => DeletesRecords && (From is null || Replaces((string?)record[Field]));

    /// <summary>Changes a record that has the value; leaves any other as it is.</summary>
    public void Apply(Record record)
    {
        if (Only is not null && LinkIn(record, Only) != Only.Id) return;
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
                if (From is null || IsFrom(value))
                    record[map] = To is null
                        ? map.Of(record).Without(Path.Inner!)
                        : map.Of(record).Merge(new JsonMap([new(Path.Inner!, JsonElement.Parse($"\"{To}\""))]));
                else if (value.ValueKind is JsonValueKind.Array && value.EnumerateArray().Any(IsFrom)) record[map] = Without(map.Of(record), value);
                if (Only is not null && Schema.Find(Only.Link) is MapField links) record[links] = links.Of(record).Without(Path.Inner!);
                break;
        }
    }

    /// <summary>The link of the record, or where links are by name, that of the same name as the value.</summary>
    private KeyPath LinkPath(LinkFilter only) => new(only.Link, Schema.Find(only.Link) is MapField ? Path.Inner : null);

    private string? LinkIn(Record record, LinkFilter only) =>
        Schema.Find(only.Link) is MapField map ? map.Of(record)[Path.Inner!]?.GetString() : (string?)record[Schema.Find(only.Link)!];

    private bool IsFrom(JsonElement value) => value.ValueKind is JsonValueKind.String && Replaces(Text.Fold(value.GetString()!));

    /// <summary>The map with the list's other items; without the list where there are none.</summary>
    private JsonMap Without(JsonMap map, JsonElement list)
    {
        var rest = list.EnumerateArray().Where(item => !IsFrom(item)).Select(item => item.GetRawText()).ToList();
        return rest.Count == 0 ? map.Without(Path.Inner!) : map.Merge(new JsonMap([new(Path.Inner!, JsonElement.Parse($"[{string.Join(',', rest)}]"))]));
    }
}

/// <summary>Where a record links to.</summary>
/// <param name="Link">The name of the link, e.g. <c>stage_id</c>; or of a map that says where each of several leads.</param>
/// <param name="Id">What it leads to.</param>
public sealed record LinkFilter(string Link, string Id);

/// <summary>A cascade that was announced.</summary>
/// <param name="Id"><c>job_…</c></param>
/// <param name="Cascade">What is to be changed.</param>
/// <param name="Origin">On whose behalf.</param>
public sealed record PendingCascade(string Id, Cascade Cascade, Origin Origin)
{
    /// <summary>
    /// This and another change by the same request as one, where both take values away and nothing else: a batch of deletions is a few changes. Null
    /// where they are not alike.
    /// </summary>
    internal PendingCascade? MergeWith(Cascade other, Origin by) =>
        by == Origin && Cascade is { To: null, Only: null, From: { } some } && other is { To: null, Only: null, From: { } more }
            ? this with { Cascade = Cascade with { From = [.. some, .. more] } }
            : null;
}

/// <summary>
/// The cascades of an environment that are under way, in the order they were announced, in one record: a reader needs one point read to know of them.
/// </summary>
/// <param name="Version">Of the record; 0 where nothing was ever announced.</param>
/// <param name="Pending">Those under way.</param>
/// <param name="At">When one was last announced or ended.</param>
public sealed record PendingCascades(long Version, IReadOnlyList<PendingCascade> Pending, DateTimeOffset At)
{
    /// <summary>The most under way at once: what a reader can be asked to see through.</summary>
    private const int MaxPending = 200;

    /// <summary>The record's type, and its id.</summary>
    internal const string Name = "wide_changes";

    private static PendingCascades None { get; } = new(0, [], DateTimeOffset.MinValue);

    /// <summary>Reads the pending cascades of an environment. An overlay that has read already answers those it took into account.</summary>
    public static ValueTask<PendingCascades> Read(IWorkspaceStore store, Catalog catalog, CancellationToken ct) =>
        store.WithArchived is CascadeOverlay { LastRead: { } pending } ? ValueTask.FromResult(pending) : ReadStored(store, catalog, ct);

    /// <summary>Reads the pending cascades as they are stored.</summary>
    internal static async ValueTask<PendingCascades> ReadStored(IWorkspaceStore store, Catalog catalog, CancellationToken ct) =>
        (await store.Memoized<PendingCascades>(
            Name, Name, async inner => await store.Find(Name, Name, inner) is { } stored ? Load(stored, catalog) : None, ct))!;

    private static PendingCascades Load(StoredRecord stored, Catalog catalog)
    {
        var json = JsonElement.Parse(stored.Attributes.Span);
        return new PendingCascades(stored.Version, [.. json.GetProperty("changes").EnumerateArray().Select(cascade => ReadCascade(cascade, catalog))],
            json.GetProperty("at").GetDateTimeOffset());
    }

    /// <summary>Whether one of them gives up what another change would: that one has to wait.</summary>
    public bool Conflicts(Cascade other) => Pending.Any(c => c.Cascade.Type == other.Type && c.Cascade.Path == other.Path
        && (other.From is null || (c.Cascade.Only is not null ? other.Only is not null : c.Cascade.From is null || other.From.Any(c.Cascade.Replaces))));

    /// <summary>What takes the place of a value that is itself given up by later changes; null for nothing.</summary>
    public string? Successor(Cascade change)
    {
        var to = change.ToKey;
        foreach (var (_, later, _) in Pending.SkipWhile(c => c.Cascade != change).Skip(1))
        {
            if (later.Type == change.Type && later.Path == change.Path && later.Replaces(to)) to = later.ToKey;
        }

        return to == change.ToKey ? null : to;
    }

    /// <summary>The name of a field that got, by a change of one record, what is being taken from all; null where there is none.</summary>
    public string? FieldBeingCleared(Change change)
    {
        foreach (var (_, cascade, _) in Pending.Where(c => c.Cascade.Type == change.Subject.Schema.Type && c.Cascade.Field is MapField or TextListField))
        {
            var without = change.After!.Next();
            cascade.Apply(without);
            if (without.ChangedSince(change.After).Any() && (change.Before is null || change.Changes(cascade.Field)))
                return cascade.Path.Inner is { } slug ? $"{cascade.Path.Name}.{slug}" : cascade.Path.Name;
        }

        return null;
    }

    /// <summary>With more of them, to be written in the commit that brings them about; null where there are too many.</summary>
    public PendingCascades? With(IEnumerable<Cascade> more, Origin origin, Ids ids, DateTimeOffset now)
    {
        var all = Pending.ToList();
        foreach (var change in more)
        {
            if (all.FindLastIndex(c => c.Cascade.Type == change.Type && c.Cascade.Path == change.Path) is >= 0 and var last
                && all[last].MergeWith(change, origin) is { } joined) all[last] = joined;
            else all.Add(new PendingCascade(ids.New("job_"), change, origin));
        }

        return all.Count > MaxPending ? null : new PendingCascades(Version + 1, all, now);
    }

    /// <summary>The same once more: a commit that writes it is refused where another was announced since this was read.</summary>
    public PendingCascades Touch() => this with { Version = Version + 1 };

    /// <summary>Without one that has ended.</summary>
    public PendingCascades Without(string id, DateTimeOffset now) => new(Version + 1, [.. Pending.Where(c => c.Id != id)], now);

    /// <summary>Stores it, if it still is of the version before.</summary>
    public Write Write()
    {
        var stored = new StoredRecord(Name, Name, Version, JsonForm.Object(writer =>
        {
            writer.WriteString("at"u8, At);
            writer.WriteStartArray("changes"u8);
            foreach (var announced in Pending) WriteCascade(writer, announced);
            writer.WriteEndArray();
        }));
        var noKeys = "{}"u8.ToArray();
        return Version == 1 ? new Write.Insert(stored, noKeys) : new Write.Replace(stored, noKeys);
    }

    private static void WriteCascade(Utf8JsonWriter writer, PendingCascade announced)
    {
        var (change, origin) = (announced.Cascade, announced.Origin);
        writer.WriteStartObject();
        writer.WriteString("id"u8, announced.Id);
        writer.WriteString("type"u8, change.Type);
        writer.WriteString("name"u8, change.Path.Name);
        writer.WriteString("inner"u8, change.Path.Inner);
        writer.WriteString("to"u8, change.To);
        writer.WriteString("link"u8, change.Only?.Link);
        writer.WriteString("linked_to"u8, change.Only?.Id);
        if (change.DeletesRecords) writer.WriteBoolean("removes"u8, true);
        writer.WriteString("triggered_by"u8, origin.SourceName);
        writer.WriteString("actor"u8, origin.Actor);
        writer.WriteString("request_id"u8, origin.RequestId);
        if (origin.Depth > 0) writer.WriteNumber("depth"u8, origin.Depth);
        if (change.From is { } from)
        {
            writer.WriteStartArray("from"u8);
            foreach (var value in from) writer.WriteStringValue(value);
            writer.WriteEndArray();
        }

        writer.WriteEndObject();
    }

    private static PendingCascade ReadCascade(JsonElement json, Catalog catalog)
    {
        string? Of(string name) => json.GetProperty(name).GetString();
        List<string>? from = json.TryGetProperty("from", out var values) ? [.. values.EnumerateArray().Select(v => v.GetString()!)] : null;
        var only = Of("link") is { } link ? new LinkFilter(link, Of("linked_to")!) : null;
        var cascade = new Cascade(
            catalog.Find(Of("type")!), new KeyPath(Of("name")!, Of("inner")), from, Of("to"), only, json.TryGetProperty("removes", out _));
        var depth = json.TryGetProperty("depth", out var chain) ? chain.GetInt32() : 0;
        return new PendingCascade(Of("id")!, cascade, new Origin(Origin.SourceOf(Of("triggered_by")!), Of("actor"), Of("request_id"), depth));
    }
}
