using NodeStash.Core.Events;
using NodeStash.Core.Storage;
using NodeStash.Core.Values;

namespace NodeStash.Core.Records;

/// <summary>Builds one commit from changes: the records, their unique keys, their events, and guards that linked records exist.</summary>
/// <param name="catalog">The known resources.</param>
/// <param name="partition">The partition that the commit goes to.</param>
/// <param name="origin">The request that caused the changes.</param>
internal sealed class CommitBuilder(Catalog catalog, Partition partition, Origin origin)
{
    private readonly List<Write> writes = [];
    private readonly List<Guard> guards = [];
    private readonly List<StoredEvent> events = [];

    /// <summary>Adds a change, and the changes of other records that come with it.</summary>
    /// <param name="change">The change to store.</param>
    /// <param name="isRequested">Whether a client requested this change, which may then not link to an archived record. A change that follows from
    /// another one may.</param>
    /// <returns>The record after the change, or before it on delete.</returns>
    public StoredRecord Add(Change change, bool isRequested)
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
            var mustBeVisible = isRequested && !change.IsCopied && catalog.IsArchivable(link.TargetType);
            guards.Add(new Guard.RecordExists(link.TargetType, target, mustBeVisible));
        }

        writes.AddRange(change.Writes);
        guards.AddRange(change.Guards);
        events.AddRange(ChangeEvents.Build(change, stored.Attributes, partition, origin));
        foreach (var other in change.With) Add(other, isRequested: false);
        return stored;
    }

    /// <summary>Builds the commit. Unique keys are released first, so that one record can take over a key from another.</summary>
    /// <param name="answer">The answer to store in the same commit; null for none.</param>
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
