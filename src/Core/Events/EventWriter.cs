using NodeStash.Core.Records;
using NodeStash.Core.Storage;

namespace NodeStash.Core.Events;

/// <summary>Makes events of changes, in the form that webhooks and the event log show (docs/api/webhooks.md).</summary>
public static class EventWriter
{
    /// <summary>The events of one change, in order: created, updated, archived, restored or deleted, then what the rules added.</summary>
    /// <param name="change">The change.</param>
    /// <param name="attributes">The record's attributes as they will be, or as they were if it is deleted.</param>
    /// <param name="partition">Whose it is.</param>
    /// <param name="origin">On whose behalf.</param>
    public static IEnumerable<StoredEvent> EventsOf(Change change, ReadOnlyMemory<byte> attributes, Partition partition, Origin origin)
    {
        var (before, after) = (change.Before, change.After);
        var subject = change.Subject;
        if (subject.Schema.EventNoun is { } noun && (before is null || after is null || after.ChangedSince(before).Any()))
        {
            var verb = VerbOf(before, after);
            var version = after?.Version ?? subject.Version + 1;
            var previous = verb is "updated" ? Previous(before!, after!) : null;
            yield return Write(new($"{noun}.{verb}", subject.Schema.Type, subject.Id, version, attributes, previous, EnvelopeType: subject.Schema.EnvelopeType), change.Ids.New("evt_"), change.Now, partition, origin);
        }

        foreach (var extra in change.Events) yield return Write(extra, change.Ids.New("evt_"), change.Now, partition, origin);
    }

    private static string VerbOf(Record? before, Record? after) => (before, after) switch
    {
        (null, _) => "created",
        (_, null) => "deleted",
        _ when ArchiveState.IsArchived(before) == ArchiveState.IsArchived(after) => "updated",
        _ => ArchiveState.IsArchived(after) ? "archived" : "restored",
    };

    /// <summary>The changed attributes as they were, as a JSON object.</summary>
    /// <param name="before">The record as it was.</param>
    /// <param name="after">The record as it is.</param>
    /// <param name="only">Of the changed ones, only these; none for all.</param>
    public static ReadOnlyMemory<byte>? Previous(Record before, Record after, params Field[] only) => JsonForm.Object(writer =>
    {
        foreach (var field in after.ChangedSince(before))
        {
            if (field.Access is not FieldAccess.Internal && (only.Length == 0 || only.Contains(field))) Record.WriteField(writer, field, before[field] ?? field.EmptyValue);
        }
    });

    /// <summary>One event.</summary>
    /// <param name="what">What it tells.</param>
    /// <param name="id"><c>evt_…</c></param>
    /// <param name="now">When it happened; events tell it to the second.</param>
    /// <param name="partition">Whose it is.</param>
    /// <param name="origin">On whose behalf.</param>
    public static StoredEvent Write(ExtraEvent what, string id, DateTimeOffset now, Partition partition, Origin origin)
    {
        var at = Text.ToSecond(now);
        var body = JsonForm.Object(writer =>
        {
            writer.WriteString("id"u8, id);
            writer.WriteString("event"u8, what.Name);
            writer.WriteString("timestamp"u8, Text.Format(at));
            writer.WriteStartObject("data"u8);
            writer.WriteString("id"u8, what.Id);
            writer.WriteString("type"u8, what.EnvelopeType ?? what.Type);
            writer.WritePropertyName("attributes"u8);
            writer.WriteRawValue(what.Attributes.Span, skipInputValidation: true);
            if (what.SourceIds is { } sources)
            {
                writer.WriteStartArray("source_ids"u8);
                foreach (var source in sources) writer.WriteStringValue(source);
                writer.WriteEndArray();
            }

            writer.WriteEndObject();
            if (what.Previous is { } previous)
            {
                writer.WritePropertyName("previous_attributes"u8);
                writer.WriteRawValue(previous.Span, skipInputValidation: true);
            }

            writer.WriteStartObject("metadata"u8);
            writer.WriteString("workspace_id"u8, partition.WorkspaceId);
            writer.WriteString("triggered_by"u8, origin.SourceName);
            writer.WriteString("actor"u8, origin.Actor);
            writer.WriteString("request_id"u8, origin.RequestId);
            if (origin.Depth > 0) writer.WriteNumber("depth"u8, origin.Depth);
            writer.WriteNumber("version"u8, what.Version);
            writer.WriteEndObject();
        });
        return new StoredEvent(id, what.Name, what.Type, what.Id, what.Version, at, body);
    }
}
