using System.Text.Json;
using NodeStash.Core.Storage;
using NodeStash.Core.Webhooks;

namespace NodeStash.Core.Jobs;

/// <summary>What came of a <see cref="WebhookTest"/>: kept in its environment, among the answers and for as long, where whoever asked for it looks.</summary>
public static class TestOutcome
{
    /// <summary>What came of it; null as long as it has not ended.</summary>
    public static async ValueTask<DeliveryAttempt?> Find(IWorkspaceStore store, string eventId, CancellationToken ct) =>
        await store.FindAnswer(Key(eventId), ct) is { } kept ? JsonSerializer.Deserialize(kept.Content, JobJson.Default.DeliveryAttempt) : null;

    /// <summary>Keeps it. Of two the first stays.</summary>
    public static async ValueTask Keep(IWorkspaceStore store, string eventId, DeliveryAttempt attempt, DateTimeOffset now, CancellationToken ct) =>
        await store.Commit(
            new Commit { Answer = new StoredAnswer(Key(eventId), "", now, JsonSerializer.Serialize(attempt, JobJson.Default.DeliveryAttempt)) }, ct);

    private static string Key(string eventId) => $"webhook-test:{eventId}";
}
