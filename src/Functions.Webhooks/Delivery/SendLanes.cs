using System.Collections.Concurrent;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.Logging;
using NodeStash.Core.Events;
using NodeStash.Core.Records;
using NodeStash.Core.Storage;
using NodeStash.Core.Telemetry;
using NodeStash.Core.Webhooks;

namespace NodeStash.Functions.Webhooks.Delivery;

/// <summary>Works off lanes of one endpoint: each from its oldest delivery on, until nothing is left in it, a delivery fails, or it is time for others.</summary>
public sealed partial class SendLanes(
    IWorkspaceStores stores, IDeliveryStores deliveryStores, WebhookOperations endpoints, WebhookSender sender, EndpointShares shares, WebhookOptions options,
    Ids ids, TimeProvider clock, ILogger<SendLanes> log)
{
    /// <summary>Lanes of one batch that are worked off at the same time.</summary>
    private const int Concurrency = 8;

    /// <summary>After which no more is begun: what failed can then wait for its retry, others get their turn, and a process that ends need not wait for long.</summary>
    private static readonly TimeSpan Slice = TimeSpan.FromSeconds(2);

    /// <summary>How much longer than its next wait a lane stays held by an orchestration that is not heard of again.</summary>
    private static readonly TimeSpan HoldMargin = TimeSpan.FromHours(1);

    [Function(nameof(SendDueLanes))]
    public async Task<LanesSent> SendDueLanes([ActivityTrigger] LaneBatch batch, CancellationToken ct)
    {
        using var share = shares.Take(batch.WebhookId);
        if (share is null) return new LanesSent([], batch.RecordIds, IsBusy: true);

        var partition = Partition.Parse(batch.Partition);
        var (store, deliveries, holder) = (stores.Open(partition), deliveryStores.Open(partition), batch.Holder ?? throw new InvalidOperationException("A batch has a holder once it is sent."));
        var asOf = clock.GetUtcNow();
        var webhook = await store.Find(Webhook.Schema.Type, batch.WebhookId, ct) is { } stored ? Record.Load(Webhook.Schema, stored) : null;
        if (webhook is null || !Webhook.IsEnabled.Of(webhook))
            return await Settle(deliveries, batch, holder, webhook is null ? DeliveryStatus.Canceled : DeliveryStatus.Failed, asOf, ct);

        var round = new Round(webhook, endpoints.SecretsOf(webhook), store, deliveries, holder, share, clock.GetTimestamp());
        var limit = new ParallelOptions { MaxDegreeOfParallelism = Concurrency, CancellationToken = ct };
        await Parallel.ForEachAsync(batch.RecordIds, limit, async (recordId, inner) => await SendLane(round, new Lane(batch.WebhookId, recordId), inner));
        return new LanesSent([.. round.Failures.OrderBy(f => f.RecordId, StringComparer.Ordinal)], [.. round.Left.Order(StringComparer.Ordinal)], IsBusy: false);
    }

    /// <summary>Ends what waits for an endpoint that is gone or disabled.</summary>
    private async Task<LanesSent> Settle(IDeliveryStore deliveries, LaneBatch batch, string holder, DeliveryStatus status, DateTimeOffset asOf, CancellationToken ct)
    {
        await deliveries.Settle(batch.WebhookId, status, asOf, ct);

        // What was recorded since may be of an endpoint enabled anew; finding the lane held by us, its own orchestration left it to us.
        var left = new List<string>();
        foreach (var recordId in batch.RecordIds)
        {
            var now = clock.GetUtcNow();
            if ((await deliveries.Next(new Lane(batch.WebhookId, recordId), holder, now, now + HoldMargin, ct)).State is LaneState.Ready) left.Add(recordId);
        }

        return new LanesSent([], left, IsBusy: false);
    }

    private async Task SendLane(Round round, Lane lane, CancellationToken ct)
    {
        while (true)
        {
            var head = await Hold(round, lane, HoldMargin, ct);
            if (head is not { State: LaneState.Ready, Delivery: { } delivery }) return;
            if (round.Begun > 0 && clock.GetElapsedTime(round.Start) > Slice)
            {
                round.Left.Add(lane.RecordId);
                return;
            }

            if (delivery.Attempts is [.., var last] && HasToWait(last))
            {
                await Wait(round, lane, last.Number, retryAfter: null, ct);
                return;
            }

            round.Begin();
            var number = delivery.Attempts.Count + 1;
            if (await round.Store.FindEvent(delivery.EventId, ct) is not { } happened)
            {
                // Past its retention: there is nothing left to send.
                await round.Deliveries.Attempted(delivery.Id, new DeliveryAttempt(number, clock.GetUtcNow(), TimeSpan.Zero, AttemptOutcome.Expired, null, null), DeliveryStatus.Failed, ct);
                continue;
            }

            var (attempt, retryAfter) = await sender.Send(Webhook.Url.Of(round.Webhook)!, round.Secrets, happened, number, ct);
            Note(round, delivery, happened, attempt);
            var isLast = attempt.Outcome is AttemptOutcome.Gone || number >= RetrySchedule.Attempts;
            var status = attempt.Outcome is AttemptOutcome.Delivered ? DeliveryStatus.Delivered : isLast ? DeliveryStatus.Failed : DeliveryStatus.Pending;
            await round.Deliveries.Attempted(delivery.Id, attempt, status, ct);
            if (attempt.Outcome is AttemptOutcome.Gone)
            {
                await Disable(round, "The endpoint answered 410 Gone", ct);
                round.Left.Add(lane.RecordId);
                return;
            }

            if (status is not DeliveryStatus.Pending) continue;
            await Wait(round, lane, number, retryAfter, ct);
            return;
        }
    }

    /// <summary>
    /// Whether a delivery's last attempt was made so lately that the next is not due: this round is then the repetition of one whose answer was lost in a crash.
    /// </summary>
    private bool HasToWait(DeliveryAttempt last) =>
        RetrySchedule.After(last.Number, retryAfter: null, chance: 0) is { } wait && clock.GetUtcNow() < last.At + wait - options.ClockTolerance;

    /// <summary>Keeps the lane for the time until its next attempt.</summary>
    private async Task Wait(Round round, Lane lane, int failed, TimeSpan? retryAfter, CancellationToken ct)
    {
        // At its longest: the orchestrator adds chance, and what the receiver asked for.
        var longest = RetrySchedule.After(failed, TimeSpan.MaxValue, chance: 1) ?? throw new InvalidOperationException("There is no attempt after the last.");
        await Hold(round, lane, longest + HoldMargin, ct);
        round.Failures.Add(new LaneFailure(lane.RecordId, failed, retryAfter));
    }

    private ValueTask<LaneHead> Hold(Round round, Lane lane, TimeSpan margin, CancellationToken ct)
    {
        var now = clock.GetUtcNow();
        return round.Deliveries.Next(lane, round.Holder, now, now + margin, ct);
    }

    private async Task Disable(Round round, string reason, CancellationToken ct)
    {
        Disabled(log, round.Webhook.Id, reason, round.Store.Partition.WorkspaceId);
        await WebhookOperations.Disable(new RecordSet(round.Store, new Origin("system", null, null), ids, clock), round.Webhook.Id, reason, ct);
        await round.Deliveries.Settle(round.Webhook.Id, DeliveryStatus.Failed, clock.GetUtcNow(), ct);
    }

    private void Note(Round round, Core.Webhooks.Delivery delivery, StoredEvent happened, DeliveryAttempt attempt)
    {
        round.Share.Took(attempt.Duration);
        Instruments.Attempts.Add(1, new KeyValuePair<string, object?>("outcome", attempt.Outcome));
        if (attempt.Outcome is AttemptOutcome.Delivered) Instruments.DeliveryLag.Record((clock.GetUtcNow() - happened.At).TotalSeconds);
        Attempted(log, delivery.EventName, happened.Id, round.Webhook.Id, attempt.Number, attempt.Outcome, attempt.StatusCode, round.Store.Partition.WorkspaceId);
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "{EventName} {EventId} to {WebhookId}, attempt {Number}: {Outcome} {Status}, workspace {WorkspaceId}")]
    private static partial void Attempted(ILogger logger, string eventName, string eventId, string webhookId, int number, AttemptOutcome outcome, int? status, string workspaceId);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{WebhookId} is disabled: {Reason}, workspace {WorkspaceId}")]
    private static partial void Disabled(ILogger logger, string webhookId, string reason, string workspaceId);

    /// <summary>One go at a batch: the endpoint, what is needed to send to it, and what came of it so far.</summary>
    private sealed record Round(
        Record Webhook, IReadOnlyList<byte[]> Secrets, IWorkspaceStore Store, IDeliveryStore Deliveries, string Holder, EndpointShares.Share Share, long Start)
    {
        private int begun;

        public ConcurrentBag<LaneFailure> Failures { get; } = [];

        public ConcurrentBag<string> Left { get; } = [];

        /// <summary>Deliveries attempted.</summary>
        public int Begun => Volatile.Read(ref begun);

        public void Begin() => Interlocked.Increment(ref begun);
    }
}
