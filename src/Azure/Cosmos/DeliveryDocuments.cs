using System.Globalization;
using System.Text.Json;
using Microsoft.Azure.Cosmos;
using NodeStash.Core.Values;
using NodeStash.Core.Webhooks;

namespace NodeStash.Azure.Cosmos;

/// <summary>
/// Reads and writes a delivery as a document. A pending delivery has a place in its lane, <c>queue</c>, which finds the next of a lane and all of an
/// endpoint. A final one has no place, and a time to live.
/// </summary>
internal static class DeliveryDocument
{
    public const string Kind = "delivery";

    /// <summary>Time for which a final delivery is kept, in seconds: 30 days.</summary>
    public const int KeptSeconds = 30 * 24 * 60 * 60;

    /// <summary>Returns the place of a delivery in its lane. As text it orders by version, then event id.</summary>
    public static string Queue(Delivery delivery) =>
        string.Create(CultureInfo.InvariantCulture, $"{Queue(delivery.Lane)}{delivery.Version:D19}/{delivery.EventId}");

    /// <summary>Returns the prefix of the places of a lane.</summary>
    public static string Queue(Lane lane) => $"{Queue(lane.WebhookId)}{lane.RecordId}/";

    /// <summary>Returns the prefix of the places of an endpoint.</summary>
    public static string Queue(string webhookId) => $"{webhookId}/";

    public static ReadOnlyMemory<byte> New(string partition, Delivery delivery) => JsonForm.Object(writer =>
    {
        writer.WriteString("id", delivery.Id);
        writer.WriteString("pk", partition);
        writer.WriteString("kind", Kind);
        writer.WriteString("webhook", delivery.Lane.WebhookId);
        writer.WriteString("record", delivery.Lane.RecordId);
        writer.WriteString("event", delivery.EventId);
        writer.WriteString("name", delivery.EventName);
        writer.WriteNumber("version", delivery.Version);
        writer.WriteString("status", delivery.Status.ToString());
        writer.WriteString("created_at", Time.Of(delivery.CreatedAt));
        writer.WriteNumber("attempts_before", delivery.AttemptsBefore);
        if (delivery.Status is DeliveryStatus.Pending) writer.WriteString("queue", Queue(delivery));
        else writer.WriteNumber("ttl", KeptSeconds);
        writer.WriteStartArray("attempts");
        foreach (var attempt in delivery.Attempts) Write(writer, attempt);
        writer.WriteEndArray();
    });

    /// <summary>Returns the changes of an attempt. Only this attempt goes over the wire: earlier ones may be many times as large.</summary>
    public static IReadOnlyList<PatchOperation> PatchAttempt(Delivery before, DeliveryAttempt attempt, Delivery after)
    {
        var changes = new List<PatchOperation>();
        if (before.Attempts is [.., var last] && last.Number > attempt.Number)
        {
            var all = JsonForm.Array(after.Attempts.Select(each => JsonForm.Write(writer => Write(writer, each))));
            changes.Add(PatchOperation.Set("/attempts", Stream(all)));
        }
        else
        {
            if (before.Attempts.Count == DeliveryAttempt.MaxKept) changes.Add(PatchOperation.Remove("/attempts/0"));
            changes.Add(PatchOperation.Add("/attempts/-", Stream(JsonForm.Write(writer => Write(writer, attempt)))));
        }

        if (after.Status == before.Status) return changes;
        changes.Add(PatchOperation.Set("/status", after.Status.ToString()));
        changes.Add(PatchOperation.Set("/ttl", KeptSeconds));
        if (before.Status is DeliveryStatus.Pending) changes.Add(PatchOperation.Remove("/queue"));
        return changes;
    }

    public static Delivery Read(JsonElement document) => new(
        document.GetProperty("id").GetString()!,
        new Lane(document.GetProperty("webhook").GetString()!, document.GetProperty("record").GetString()!),
        document.GetProperty("event").GetString()!,
        document.GetProperty("name").GetString()!,
        document.GetProperty("version").GetInt64(),
        Enum.Parse<DeliveryStatus>(document.GetProperty("status").GetString()!),
        [.. document.GetProperty("attempts").EnumerateArray().Select(ReadAttempt)],
        Time.Read(document.GetProperty("created_at")),
        document.GetProperty("attempts_before").GetInt32());

    private static void Write(Utf8JsonWriter writer, DeliveryAttempt attempt)
    {
        writer.WriteStartObject();
        writer.WriteNumber("number", attempt.Number);
        writer.WriteString("at", Time.Of(attempt.At));
        writer.WriteNumber("ticks", attempt.Duration.Ticks);
        writer.WriteString("outcome", attempt.Outcome.ToString());
        if (attempt.StatusCode is { } code) writer.WriteNumber("status_code", code);
        if (attempt.Answer is { } answer) writer.WriteString("answer", answer);
        writer.WriteEndObject();
    }

    private static MemoryStream Stream(ReadOnlyMemory<byte> json) => new(json.ToArray(), writable: false);

    private static DeliveryAttempt ReadAttempt(JsonElement attempt) => new(
        attempt.GetProperty("number").GetInt32(),
        Time.Read(attempt.GetProperty("at")),
        TimeSpan.FromTicks(attempt.GetProperty("ticks").GetInt64()),
        Enum.Parse<AttemptOutcome>(attempt.GetProperty("outcome").GetString()!),
        attempt.TryGetProperty("status_code", out var code) ? code.GetInt32() : default(int?),
        attempt.TryGetProperty("answer", out var answer) ? answer.GetString() : null);
}

/// <summary>Describes a lane with pending deliveries. Every change of a pending delivery changes this document, too, so that its ETag guards them.</summary>
/// <param name="Lane">The endpoint and the record.</param>
/// <param name="Due">When its oldest delivery is to be sent.</param>
/// <param name="IsUnderWay">Whether a slow attempt is in flight.</param>
/// <param name="Pending">How many deliveries are pending.</param>
/// <param name="Head">The oldest of them.</param>
/// <param name="HeadQueue">Its place.</param>
/// <param name="ETag">The ETag of the document; null for a new one.</param>
internal sealed record LaneDocument(Lane Lane, DateTimeOffset Due, bool IsUnderWay, int Pending, string Head, string HeadQueue, string? ETag = null)
{
    public const string Kind = "lane";

    public const string Columns = "c.id, c.kind, c.lane_of, c.record, c.due, c.under_way, c.pending, c.head, c.head_queue, c._etag";

    public static string IdOf(Lane lane) => $"{Kind}:{lane.WebhookId}:{lane.RecordId}";

    /// <summary>Adds a pending delivery.</summary>
    public LaneDocument With(Delivery delivery) => DeliveryDocument.Queue(delivery) is var queue && string.CompareOrdinal(queue, HeadQueue) < 0
        ? this with { Pending = Pending + 1, Head = delivery.Id, HeadQueue = queue }
        : this with { Pending = Pending + 1 };

    /// <summary>Creates the lane of its first pending delivery.</summary>
    public static LaneDocument Of(Delivery delivery, DateTimeOffset due) =>
        new(delivery.Lane, due, IsUnderWay: false, 1, delivery.Id, DeliveryDocument.Queue(delivery));

    public ReadOnlyMemory<byte> ToJson(string partition) => JsonForm.Object(writer =>
    {
        writer.WriteString("id", IdOf(Lane));
        writer.WriteString("pk", partition);
        writer.WriteString("kind", Kind);
        writer.WriteString("lane_of", Lane.WebhookId);
        writer.WriteString("record", Lane.RecordId);
        writer.WriteString("due", Time.Of(Due));
        writer.WriteBoolean("under_way", IsUnderWay);
        writer.WriteNumber("pending", Pending);
        writer.WriteString("head", Head);
        writer.WriteString("head_queue", HeadQueue);
    });

    public static LaneDocument Read(JsonElement document) => new(
        new Lane(document.GetProperty("lane_of").GetString()!, document.GetProperty("record").GetString()!),
        Time.Read(document.GetProperty("due")),
        document.GetProperty("under_way").GetBoolean(),
        document.GetProperty("pending").GetInt32(),
        document.GetProperty("head").GetString()!,
        document.GetProperty("head_queue").GetString()!,
        document.GetProperty("_etag").GetString());
}

/// <summary>Describes the worker of an endpoint.</summary>
/// <param name="Holder">The orchestration.</param>
/// <param name="Until">When the worker loses the endpoint if it is not heard of again.</param>
/// <param name="IsAsleep">Whether the worker waits for a lane to become due.</param>
/// <param name="ETag">The ETag of the document; null for a new one.</param>
internal sealed record EndpointDocument(string Holder, DateTimeOffset Until, bool IsAsleep, string? ETag = null)
{
    private const string Kind = "endpoint";

    public static string IdOf(string webhookId) => $"{Kind}:{webhookId}";

    public bool IsHeld(DateTimeOffset now) => Until >= now;

    public ReadOnlyMemory<byte> ToJson(string partition, string webhookId) => JsonForm.Object(writer =>
    {
        writer.WriteString("id", IdOf(webhookId));
        writer.WriteString("pk", partition);
        writer.WriteString("kind", Kind);
        writer.WriteString("holder", Holder);
        writer.WriteString("until", Time.Of(Until));
        writer.WriteBoolean("asleep", IsAsleep);
    });

    public static EndpointDocument Read(JsonElement document) => new(
        document.GetProperty("holder").GetString()!,
        Time.Read(document.GetProperty("until")),
        document.GetProperty("asleep").GetBoolean(),
        document.GetProperty("_etag").GetString());
}

/// <summary>Describes the failures of an endpoint since its last success. A document of its own, so that it does not conflict with the worker's.</summary>
internal sealed record RunDocument(FailureRun Run, string ETag)
{
    private const string Kind = "failures";

    public static string IdOf(string webhookId) => $"{Kind}:{webhookId}";

    public static ReadOnlyMemory<byte> ToJson(string partition, string webhookId, FailureRun run) => JsonForm.Object(writer =>
    {
        writer.WriteString("id", IdOf(webhookId));
        writer.WriteString("pk", partition);
        writer.WriteString("kind", Kind);
        writer.WriteString("since", Time.Of(run.Since));
        writer.WriteString("last", Time.Of(run.Last));
    });

    public static RunDocument Read(JsonElement document) =>
        new(new FailureRun(Time.Read(document.GetProperty("since")), Time.Read(document.GetProperty("last"))), document.GetProperty("_etag").GetString()!);
}

/// <summary>Converts times to text that sorts as they do, to the tick: a number would be rounded.</summary>
internal static class Time
{
    public static string Of(DateTimeOffset time) => time.UtcDateTime.ToString("O", CultureInfo.InvariantCulture);

    public static DateTimeOffset Read(JsonElement text) => DateTimeOffset.ParseExact(text.GetString()!, "O", CultureInfo.InvariantCulture);
}
