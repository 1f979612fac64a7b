using System.Text.Json;
using System.Text.Json.Serialization;
using NodeStash.Core.Webhooks;

namespace NodeStash.Core.Jobs;

/// <summary>Describes a piece of work in a message of a queue. Members added later have defaults, so that older messages can be read.</summary>
public abstract record Job
{
    /// <summary>The name of the queue it is sent to, one of <see cref="JobQueue.All"/>.</summary>
    [JsonIgnore]
    public abstract string Queue { get; }

    /// <summary>Version of the format. It rises when the meaning of a member changes.</summary>
    public int Version { get; init; } = 1;

    /// <summary>Number of consecutive runs that failed because the store did not answer.</summary>
    public int Failures { get; init; }

    /// <summary>Parses the job of a message.</summary>
    /// <exception cref="JsonException">The message is no such job, or has an unknown version: a newer instance sent it, and will run it.</exception>
    public static T Read<T>(string message)
        where T : Job
    {
        var job = (T?)JsonSerializer.Deserialize(message, typeof(T), JobJson.Default);
        return job is { Version: 1 } ? job : throw new JsonException($"Expected a {typeof(T).Name} of version 1, not of version {job?.Version}");
    }
}

/// <summary>Applies the pending cascades of a partition, version 1. Source: docs/adr/0010.</summary>
/// <param name="Partition">The partition key (<see cref="Storage.Partition.Key"/>).</param>
/// <param name="Announced">The id of the cascade that was announced last when this was sent.</param>
public sealed record CascadeJob(string Partition, string Announced) : Job
{
    /// <inheritdoc/>
    public override string Queue => JobQueue.Cascades;
}

/// <summary>Sends events to an endpoint again: a retry, a recovery or a replay, version 1.</summary>
/// <param name="Partition">The partition key (<see cref="Storage.Partition.Key"/>).</param>
/// <param name="Id">The id of the redelivery, <c>rdl_…</c>, as answered to the client.</param>
/// <param name="WebhookId">The endpoint.</param>
/// <param name="What">Which deliveries or events to send again.</param>
/// <param name="Since">The time of the oldest event to send.</param>
/// <param name="Until">The time of the newest event to send: when the redelivery was requested.</param>
/// <param name="Place">Where to continue; for <see cref="RedeliveryKind.One"/>, the delivery. Null for the beginning.</param>
public sealed record Redelivery(
    string Partition, string Id, string WebhookId, RedeliveryKind What, DateTimeOffset Since, DateTimeOffset Until, string? Place = null) : Job
{
    /// <inheritdoc/>
    public override string Queue => JobQueue.Redeliveries;
}

/// <summary>Selects what a redelivery sends again. Stored by name.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<RedeliveryKind>))]
public enum RedeliveryKind
{
    /// <summary>One delivery, whatever its status.</summary>
    One,

    /// <summary>Failed deliveries.</summary>
    Failed,

    /// <summary>Events that the endpoint subscribes to and has not received.</summary>
    Missing,

    /// <summary>All events that the endpoint subscribes to.</summary>
    All,
}

/// <summary>Sends <c>webhook.test</c> to an endpoint, version 1. <see cref="TestOutcome"/> keeps the result.</summary>
/// <param name="Partition">The partition key (<see cref="Storage.Partition.Key"/>).</param>
/// <param name="EventId">The id of the event to send, <c>evt_…</c></param>
/// <param name="WebhookId">The endpoint, enabled or not.</param>
/// <param name="Actor">The credential that requested the test, e.g. <c>key_…</c></param>
/// <param name="RequestId">The request for the test, <c>req_…</c>; null if there was none.</param>
/// <param name="Until">The time after which nobody waits for the result, and the test is not sent any more.</param>
public sealed record WebhookTest(string Partition, string EventId, string WebhookId, string Actor, string? RequestId, DateTimeOffset Until) : Job
{
    /// <inheritdoc/>
    public override string Queue => JobQueue.WebhookTests;
}

/// <summary>Rebuilds the search index of a partition, version 1.</summary>
/// <param name="Partition">The partition key (<see cref="Storage.Partition.Key"/>).</param>
/// <param name="Rebuild">The id of the rebuild, <c>job_…</c></param>
/// <param name="Type">The type of the records to read next; null for the first type.</param>
/// <param name="CreatedAt">The creation time of the last record read of the type; null before the first.</param>
/// <param name="Id">The id of that record; null before the first.</param>
public sealed record Reindexing(string Partition, string Rebuild, string? Type = null, string? CreatedAt = null, string? Id = null) : Job
{
    /// <inheritdoc/>
    public override string Queue => JobQueue.Reindexes;
}

/// <summary>Deletes archived records whose retention is over, partition by partition, version 1.</summary>
/// <param name="Until">Deletes records archived at this time or earlier.</param>
/// <param name="Partition">The partition to purge next (<see cref="Storage.Partition.Key"/>); null for the first.</param>
/// <param name="Type">The type of the records to purge next; null for the first type.</param>
/// <param name="ArchivedAt">The archive time of the last record checked of the type; null before the first.</param>
/// <param name="Id">The id of that record; null before the first.</param>
public sealed record Purging(DateTimeOffset Until, string? Partition = null, string? Type = null, string? ArchivedAt = null, string? Id = null) : Job
{
    /// <inheritdoc/>
    public override string Queue => JobQueue.Purges;
}

/// <summary>Serializes jobs and outcomes of tests.</summary>
[JsonSourceGenerationOptions(UseStringEnumConverter = true)]
[JsonSerializable(typeof(CascadeJob))]
[JsonSerializable(typeof(Redelivery))]
[JsonSerializable(typeof(WebhookTest))]
[JsonSerializable(typeof(Reindexing))]
[JsonSerializable(typeof(Purging))]
[JsonSerializable(typeof(DeliveryAttempt))]
internal sealed partial class JobJson : JsonSerializerContext;
