using System.Text.Json;
using NodeStash.Core.Storage;
using NodeStash.Core.Webhooks;

namespace NodeStash.Core.Jobs;

/// <summary>Keeps the result of a <see cref="WebhookTest"/> for the request that waits for it. Stored as an answer, so for 24 hours.</summary>
public static class TestOutcome
{
    /// <summary>Finds the result of a test; null while it has not ended.</summary>
    public static async ValueTask<DeliveryAttempt?> Find(IWorkspaceStore store, string eventId, CancellationToken ct) =>
        await store.FindAnswer(Key(eventId), ct) is { } kept ? JsonSerializer.Deserialize(kept.Content, JobJson.Default.DeliveryAttempt) : null;

    /// <summary>Stores the result of a test. If one is stored already, that stays.</summary>
    public static async ValueTask Keep(IWorkspaceStore store, string eventId, DeliveryAttempt attempt, DateTimeOffset now, CancellationToken ct) =>
        await store.Commit(
            new Commit { Answer = new StoredAnswer(Key(eventId), "", now, JsonSerializer.Serialize(attempt, JobJson.Default.DeliveryAttempt)) }, ct);

    private static string Key(string eventId) => $"webhook-test:{eventId}";
}
