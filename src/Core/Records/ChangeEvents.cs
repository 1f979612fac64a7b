using NodeStash.Core.Events;
using NodeStash.Core.Storage;
using NodeStash.Core.Values;

namespace NodeStash.Core.Records;

/// <summary>Tells which events a change has.</summary>
public static class ChangeEvents
{
    /// <summary>The events of one change, in order: created, updated, archived, restored or deleted, then what the rules added.</summary>
    /// <param name="change">The change.</param>
    /// <param name="attributes">The record's attributes as they will be, or as they were if it is deleted.</param>
    /// <param name="partition">Whose it is.</param>
    /// <param name="origin">On whose behalf.</param>
    public static IEnumerable<StoredEvent> Of(Change change, ReadOnlyMemory<byte> attributes, Partition partition, Origin origin)
    {
        var (before, after) = (change.Before, change.After);
        var subject = change.Subject;
        if (subject.Schema.EventNoun is { } noun && (before is null || after is null || after.ChangedSince(before).Any()))
        {
            var verb = VerbOf(before, after);
            var version = after?.Version ?? subject.Version + 1;
            var previous = verb is "updated" ? Previous(before!, after!) : null;
            yield return EventWriter.Write(
                new($"{noun}.{verb}", subject.Schema.Type, subject.Id, version, attributes, previous, EnvelopeType: subject.Schema.EnvelopeType),
                change.Ids.New("evt_"), change.Now, partition, origin);
        }

        foreach (var extra in change.Events) yield return EventWriter.Write(extra, change.Ids.New("evt_"), change.Now, partition, origin);
    }

    private static string VerbOf(Record? before, Record? after) => (before, after) switch
    {
        (null, _) => "created",
        (_, null) => "deleted",
        _ when before.IsArchived == after.IsArchived => "updated",
        _ => after.IsArchived ? "archived" : "restored",
    };

    /// <summary>The changed attributes as they were, as a JSON object.</summary>
    /// <param name="before">The record as it was.</param>
    /// <param name="after">The record as it is.</param>
    /// <param name="only">Of the changed ones, only these; none for all.</param>
    public static ReadOnlyMemory<byte>? Previous(Record before, Record after, params Field[] only) => JsonForm.Object(writer =>
    {
        foreach (var field in after.ChangedSince(before))
        {
            if (field.Access is not FieldAccess.Internal && (only.Length == 0 || only.Contains(field)))
                Record.WriteField(writer, field, before[field] ?? field.EmptyValue);
        }
    });
}
