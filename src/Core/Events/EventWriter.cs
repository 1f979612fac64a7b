using NodeStash.Core.Storage;
using NodeStash.Core.Values;

namespace NodeStash.Core.Events;

/// <summary>Renders events as webhooks and the event log show them. Source: docs/api/webhooks.md.</summary>
public static class EventWriter
{
    /// <summary>Renders one event, to be stored.</summary>
    /// <param name="what">The change or other occurrence to tell of.</param>
    /// <param name="id">The id of the event, <c>evt_…</c></param>
    /// <param name="now">When it happened; the event shows it to the second.</param>
    /// <param name="partition">The partition of the record.</param>
    /// <param name="origin">On whose behalf the change was made.</param>
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

/// <summary>Describes what happened to one resource. Rules add such events to those that every change has.</summary>
/// <param name="Name">The name of the event, e.g. <c>deal.stage_changed</c>.</param>
/// <param name="Type">The type of the resource.</param>
/// <param name="Id">The id of the resource.</param>
/// <param name="Version">The version of the resource.</param>
/// <param name="Attributes">The whole resource after the change, as UTF-8 JSON.</param>
/// <param name="Previous">The old values of the changed attributes, a JSON object in UTF-8; null unless the event is an update.</param>
/// <param name="SourceIds">The ids of the records merged into this one; null unless the event is a merge.</param>
/// <param name="EnvelopeType">The type as clients see it; null if it equals <paramref name="Type"/>.</param>
public sealed record ExtraEvent(
    string Name, string Type, string Id, long Version, ReadOnlyMemory<byte> Attributes, ReadOnlyMemory<byte>? Previous = null,
    IReadOnlyList<string>? SourceIds = null,
    string? EnvelopeType = null);
