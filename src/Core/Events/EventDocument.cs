using System.Text.Json.Serialization;

namespace NodeStash.Core.Events;

/// <summary>
/// Holds a document of the change feed of the <c>crm</c> container. The container has records and unique keys, too: only documents of
/// <see cref="Kind"/> <c>event</c> are events. The other members are set for events only.
/// </summary>
public sealed class EventDocument
{
    /// <summary>The value of <see cref="Kind"/> for events.</summary>
    public const string EventKind = "event";

    /// <summary>The id of the document; of an event, <c>evt_…</c></summary>
    [JsonPropertyName("id")]
    public string Id { get; init; } = "";

    /// <summary>The partition key (<see cref="Storage.Partition.Key"/>).</summary>
    [JsonPropertyName("pk")]
    public string PartitionKey { get; init; } = "";

    /// <summary>The kind of document; <see cref="EventKind"/> for events.</summary>
    [JsonPropertyName("kind")]
    public string Kind { get; init; } = "";

    /// <summary>The name of the event, e.g. <c>contact.created</c>.</summary>
    [JsonPropertyName("name")]
    public string Name { get; init; } = "";

    /// <summary>The type of the record that changed, e.g. <c>contact</c>.</summary>
    [JsonPropertyName("record_type")]
    public string RecordType { get; init; } = "";

    /// <summary>The id of the record that changed.</summary>
    [JsonPropertyName("record_id")]
    public string RecordId { get; init; } = "";

    /// <summary>The record's version after the change.</summary>
    [JsonPropertyName("version")]
    public long Version { get; init; }
}
