using System.Text.Json.Serialization;

namespace NodeStash.Core.Events;

/// <summary>
/// A document as the change feed of the <c>crm</c> container hands it over. The container holds records and unique keys too; only those of
/// <see cref="Kind"/> <c>event</c> are events, and only for those are the other members set.
/// </summary>
public sealed class EventDocument
{
    /// <summary>The value of <see cref="Kind"/> for events.</summary>
    public const string EventKind = "event";

    [JsonPropertyName("id")]
    public string Id { get; init; } = "";

    /// <summary>The partition key (<see cref="Storage.Partition.Key"/>).</summary>
    [JsonPropertyName("pk")]
    public string PartitionKey { get; init; } = "";

    [JsonPropertyName("kind")]
    public string Kind { get; init; } = "";

    /// <summary>E.g. <c>contact.created</c>.</summary>
    [JsonPropertyName("name")]
    public string Name { get; init; } = "";

    [JsonPropertyName("record_type")]
    public string RecordType { get; init; } = "";

    [JsonPropertyName("record_id")]
    public string RecordId { get; init; } = "";

    /// <summary>The record's version after the change.</summary>
    [JsonPropertyName("version")]
    public long Version { get; init; }
}
