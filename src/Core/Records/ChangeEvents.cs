using NodeStash.Core.Events;
using NodeStash.Core.Storage;
using NodeStash.Core.Values;

namespace NodeStash.Core.Records;

/// <summary>Builds the events of a change.</summary>
public static class ChangeEvents
{
    /// <summary>
    /// Builds the events of one change: first created, updated, archived, restored or deleted, then those that the rules added. A resource without
    /// <see cref="Schema.EventNoun"/>, and an update that changes nothing, have no first event.
    /// </summary>
    /// <param name="change">The decided change.</param>
    /// <param name="attributes">The record's attributes after the change, or before it on delete.</param>
    /// <param name="partition">The partition of the record.</param>
    /// <param name="origin">The request that caused the change.</param>
    public static IEnumerable<StoredEvent> Build(Change change, ReadOnlyMemory<byte> attributes, Partition partition, Origin origin)
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

    /// <summary>Writes the previous values of the changed attributes, as a JSON object. Internal fields are left out.</summary>
    /// <param name="before">The record before the change.</param>
    /// <param name="after">The record after the change.</param>
    /// <param name="only">The fields to include if they changed; none for all.</param>
    public static ReadOnlyMemory<byte>? Previous(Record before, Record after, params Field[] only) => JsonForm.Object(writer =>
    {
        foreach (var field in after.ChangedSince(before))
        {
            if (field.Access is not FieldAccess.Internal && (only.Length == 0 || only.Contains(field)))
                Record.WriteField(writer, field, before[field] ?? field.EmptyValue);
        }
    });
}
