using System.Text.Json;
using System.Text.Json.Serialization;
using NodeStash.Core.Webhooks;

namespace NodeStash.Core.Jobs;

/// <summary>A piece of work as it stands in a message. What is added to one later has a default, so that messages sent before are still read.</summary>
public abstract record Job
{
    /// <summary>The queue it is sent to, one of <see cref="JobQueue"/>.</summary>
    [JsonIgnore]
    public abstract string Queue { get; }

    /// <summary>Rises when what a field means changes.</summary>
    public int Version { get; init; } = 1;

    /// <summary>How often in a row it could not be done because the store did not answer.</summary>
    public int Failures { get; init; }

    /// <summary>The job of a message.</summary>
    /// <exception cref="JsonException">It is none, or of a version not known yet: a newer instance has sent it, and will do it.</exception>
    public static T Read<T>(string message)
        where T : Job
    {
        var job = (T?)JsonSerializer.Deserialize(message, typeof(T), JobJson.Default);
        return job is { Version: 1 } ? job : throw new JsonException($"Expected a {typeof(T).Name} of version 1, not of version {job?.Version}");
    }
}

/// <summary>Carries the cascades of an environment through (docs/adr/0010), version 1.</summary>
/// <param name="Partition">The environment (<see cref="Storage.Partition.Key"/>).</param>
/// <param name="Announced">The id of the change that was announced last when this was sent.</param>
public sealed record CascadeJob(string Partition, string Announced) : Job
{
    public override string Queue => JobQueue.Cascades;
}

/// <summary>Sends events to an endpoint again, version 1.</summary>
/// <param name="Partition">The environment (<see cref="Storage.Partition.Key"/>).</param>
/// <param name="Id"><c>rdl_…</c>, as the client was told.</param>
/// <param name="WebhookId">The endpoint.</param>
/// <param name="What">Which of them.</param>
/// <param name="Since">The time of the first event.</param>
/// <param name="Until">The time of the last event: when it was asked for.</param>
/// <param name="Place">How far it has come, and for <see cref="RedeliveryKind.One"/> the delivery; null for the beginning.</param>
public sealed record Redelivery(
    string Partition, string Id, string WebhookId, RedeliveryKind What, DateTimeOffset Since, DateTimeOffset Until, string? Place = null) : Job
{
    public override string Queue => JobQueue.Redeliveries;
}

[JsonConverter(typeof(JsonStringEnumConverter<RedeliveryKind>))]
public enum RedeliveryKind
{
    /// <summary>One delivery, whatever became of it.</summary>
    One,

    /// <summary>Deliveries that failed.</summary>
    Failed,

    /// <summary>Events the endpoint subscribes to and did not take.</summary>
    Missing,

    /// <summary>Events the endpoint subscribes to.</summary>
    All,
}

/// <summary>Sends <c>webhook.test</c> to an endpoint, version 1. What comes of it is a <see cref="TestOutcome"/>.</summary>
/// <param name="Partition">The environment (<see cref="Storage.Partition.Key"/>).</param>
/// <param name="EventId">The event to send.</param>
/// <param name="WebhookId">The endpoint, enabled or not.</param>
/// <param name="Actor">Who asks for it.</param>
/// <param name="RequestId"><c>req_…</c></param>
/// <param name="Until">From then on nobody waits for it, and it is not sent any more.</param>
public sealed record WebhookTest(string Partition, string EventId, string WebhookId, string Actor, string? RequestId, DateTimeOffset Until) : Job
{
    public override string Queue => JobQueue.WebhookTests;
}

/// <summary>Builds the index of an environment anew, version 1.</summary>
/// <param name="Partition">The environment (<see cref="Storage.Partition.Key"/>).</param>
/// <param name="Rebuild">Names it: <c>job_…</c></param>
/// <param name="Type">Of the records that come next; null before the first.</param>
/// <param name="CreatedAt">Of the last record of the type that was read; null before the first.</param>
/// <param name="Id">Its id; null before the first.</param>
public sealed record Reindexing(string Partition, string Rebuild, string? Type = null, string? CreatedAt = null, string? Id = null) : Job
{
    public override string Queue => JobQueue.Reindexes;
}

/// <summary>Deletes archived records whose time is up, environment by environment, version 1.</summary>
/// <param name="Until">Records are deleted that were archived at this time or earlier.</param>
/// <param name="Partition">The environment that comes next (<see cref="Storage.Partition.Key"/>); null for the first.</param>
/// <param name="Type">Of the records that come next; null for the first.</param>
/// <param name="ArchivedAt">Of the last record of the type that was looked at; null before the first.</param>
/// <param name="Id">Its id; null before the first.</param>
public sealed record Purging(DateTimeOffset Until, string? Partition = null, string? Type = null, string? ArchivedAt = null, string? Id = null) : Job
{
    public override string Queue => JobQueue.Purges;
}

/// <summary>Their JSON, and that of outcomes.</summary>
[JsonSourceGenerationOptions(UseStringEnumConverter = true)]
[JsonSerializable(typeof(CascadeJob))]
[JsonSerializable(typeof(Redelivery))]
[JsonSerializable(typeof(WebhookTest))]
[JsonSerializable(typeof(Reindexing))]
[JsonSerializable(typeof(Purging))]
[JsonSerializable(typeof(DeliveryAttempt))]
internal sealed partial class JobJson : JsonSerializerContext;
