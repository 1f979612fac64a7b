using NodeStash.Core.Events;
using NodeStash.Core.Storage;
using NodeStash.Core.Values;

namespace NodeStash.Core.Records;

/// <summary>Turns changes into what is stored together: the records, their unique keys, the guards on what they link to, and their events.</summary>
internal sealed class CommitBuilder(Catalog catalog, Partition partition, Origin origin)
{
    private readonly List<Write> writes = [];
    private readonly List<Guard> guards = [];
    private readonly List<StoredEvent> events = [];

    /// <summary>Adds a change.</summary>
    /// <param name="change">The change to store.</param>
    /// <param name="isAsked">Whether somebody asked for it: then it may not link to an archived record. A change that follows from another may.</param>
    /// <returns>The record as it will be stored, or as it was if it is removed.</returns>
    public StoredRecord Add(Change change, bool isAsked)
    {
        var (before, after, schema) = (change.Before, change.After, change.Subject.Schema);
        if (before is not null && after is not null) after[schema.UpdatedAt] = Text.ToSecond(change.Now);
        var stored = change.Subject.Store();

        writes.Add((before, after) switch
        {
            (null, not null) => new Write.Insert(stored, after.Keys()),
            (not null, not null) => new Write.Replace(stored, after.Keys()),
            _ => new Write.Remove(schema.Type, stored.Id, stored.Version),
        });
        foreach (var unique in schema.Uniques) AddUniqueKey(unique, before, after);
        foreach (var link in schema.Links)
        {
            if (!link.IsChecked || !change.Changes(link) || link.Of(after!) is not { } target) continue;
            var isVisible = isAsked && !change.IsCopied && catalog.IsArchivable(link.TargetType);
            guards.Add(new Guard.RecordExists(link.TargetType, target, isVisible));
        }

        writes.AddRange(change.Writes);
        guards.AddRange(change.Guards);
        events.AddRange(ChangeEvents.Of(change, stored.Attributes, partition, origin));
        foreach (var other in change.With) Add(other, isAsked: false);
        return stored;
    }

    /// <summary>All of it. What is released comes first, so that one record can take over a value from another.</summary>
    public Commit Build(StoredAnswer? answer) =>
        new() { Writes = [.. writes.OfType<Write.Release>(), .. writes.Where(w => w is not Write.Release)], Guards = guards, Events = events, Answer = answer };

    private void AddUniqueKey(Unique unique, Record? before, Record? after)
    {
        var (old, wanted) = (before is null ? null : unique.KeyOf(before), after is null ? null : unique.KeyOf(after));
        if (old == wanted) return;
        if (old is not null) writes.Add(new Write.Release(old, before!.Id));
        if (wanted is not null) writes.Add(new Write.Reserve(wanted, after!.Id));
    }
}
