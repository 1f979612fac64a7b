using System.Diagnostics.CodeAnalysis;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.Logging;
using NodeStash.Core.Events;
using NodeStash.Core.Records;
using NodeStash.Core.Storage;
using NodeStash.Core.Telemetry;
using NodeStash.Core.Webhooks;

namespace NodeStash.Functions.Webhooks.Delivery;

/// <summary>
/// Sends what is due at one endpoint, for as long as a round lasts. Lanes are worked off side by side, each from its oldest delivery on until nothing
/// is left in it or a delivery fails. An attempt that the receiver does not answer in that time goes on by itself, and the lane with it.
/// </summary>
public sealed partial class SendDeliveries(
    IWorkspaceStores stores, IDeliveryStores deliveryStores, WebhookOperations endpoints, WebhookSender sender, SendSlots slots, WebhookOptions options,
    Ids ids, TimeProvider clock, ILogger<SendDeliveries> log)
{
    /// <summary>Lanes taken at a time. More than may be sent at once, so that sending need not wait for outcomes to be on disk.</summary>
    private const int MostLanes = 512;

    /// <summary>Before asking again where little was due: what comes in quick succession is one round of one worker, not a worker each.</summary>
    private static readonly TimeSpan Gathering = TimeSpan.FromMilliseconds(50);

    /// <summary>What began just before the round was over has that long to end with it; what takes longer is slow.</summary>
    private static readonly TimeSpan LastAttempts = TimeSpan.FromMilliseconds(250);

    /// <summary>The longest that <see cref="SendDueDeliveries"/> begins and waits for attempts; then it notes outcomes and ends.</summary>
    public static readonly TimeSpan MaxRoundTime = Round.MaxRoundTime + LastAttempts;

    /// <summary>How much longer than it sleeps a worker that is not heard of again keeps its endpoint.</summary>
    private static readonly TimeSpan HoldMargin = TimeSpan.FromHours(1);

    /// <summary>How much longer than it may take an attempt that is not heard of again keeps its lane.</summary>
    private static readonly TimeSpan AttemptMargin = TimeSpan.FromSeconds(15);

    [Function(nameof(SendDueDeliveries))]
    public async Task<RoundSent> SendDueDeliveries([ActivityTrigger] EndpointWork work, [DurableClient] DurableTaskClient client, CancellationToken ct)
    {
        if (slots.IsBusy(work.Partition, work.WebhookId)) return new RoundSent(RoundEnd.Busy);
        var partition = Partition.Parse(work.Partition);
        using var round = new Round(work.WebhookId, stores.Open(partition), deliveryStores.Open(partition), client, slots, clock, ct);
        var lanes = new Lanes();
        using var end = round.Stopping.UnsafeRegister(_ => lanes.End(), null);
        var working = WorkOff(round, lanes, work.Holder ?? throw new InvalidOperationException("Work has a holder once it is begun."));
        await Task.WhenAny(working, round.Over);
        if (!working.IsCompleted) await Task.WhenAny(working, Task.Delay(LastAttempts, TimeProvider.System, CancellationToken.None));
        if (!working.IsCompleted && round.End() is { Count: > 0 } underWay)
        {
            await round.Deliveries.Defer(underWay, clock.GetUtcNow() + options.Timeout + AttemptMargin, CancellationToken.None);
            _ = GoOn(working, round.WebhookId);
        }
        else if (await working is { } done)
        {
            return done;
        }

        ct.ThrowIfCancellationRequested();
        return new RoundSent(slots.IsBusy(work.Partition, work.WebhookId) ? RoundEnd.Busy : RoundEnd.More);
    }

    /// <summary>Works off lanes side by side until nothing is due, or the round is over and what was under way has ended.</summary>
    /// <returns>How the round ended; null where it was time.</returns>
    private async Task<RoundSent?> WorkOff(Round round, Lanes lanes, string holder)
    {
        var sending = SendReady(round, lanes);
        RoundSent? done;
        try
        {
            done = await Follow(round, lanes, holder);
        }
        finally
        {
            lanes.End();
            await NoteAttempts(round, lanes);
        }

        await sending;
        return done;
    }

    /// <summary>
    /// Takes what is due and notes what came of it, in turns, so that nothing is taken that is under way. More is taken before all of it is sent: those who send need not wait for it.
    /// </summary>
    private async Task<RoundSent?> Follow(Round round, Lanes lanes, string holder)
    {
        var patience = Gathering;
        while (!round.IsOver && !lanes.IsEnded)
        {
            var due = await Take(round, lanes, holder);

            // After what is due, so that an event is signed with the secrets the endpoint had when it happened, or later ones.
            var asOf = clock.GetUtcNow();
            if (due.State is WorkState.Due or WorkState.Waits && !await Look(round))
            {
                // What was recorded since is left for the next round, which looks at the endpoint anew: it may be enabled again.
                await NoteAttempts(round, lanes);
                await round.Deliveries.Finalize(round.WebhookId, round.IsGone ? DeliveryStatus.Canceled : DeliveryStatus.Failed, asOf, CancellationToken.None);
                return End(await Take(round, lanes, holder));
            }

            if (due.State is not WorkState.Due && lanes.Open == 0) return End(due);
            var begun = lanes.Begin(due.Heads);
            if (due.Heads.Count >= slots.MaxPerEndpoint)
            {
                await NoteAttempts(round, lanes, begun / 2);
                continue;
            }

            // An attempt that takes long is not waited for: other records may have something due. The longer it takes, the less often this is asked.
            patience = begun > 0 ? Gathering : patience * 2;
            await NoteAttempts(round, lanes, until: Task.Delay(patience, TimeProvider.System, round.Stopping));
            if (lanes.Open == 0) await Task.Delay(Gathering, TimeProvider.System, round.Stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        return null;
    }

    /// <summary>Sees the endpoint as it is now; where it is gone or disabled nothing more is begun.</summary>
    /// <returns>Whether it is there and enabled.</returns>
    private async Task<bool> Look(Round round)
    {
        var webhook = await round.Store.Find(Webhook.Schema.Type, round.WebhookId, CancellationToken.None) is { } stored ? Record.Load(Webhook.Schema, stored) : null;
        round.See(webhook is null ? null : new Seen(webhook, endpoints.SecretsOf(webhook)));
        if (webhook is not null && Webhook.IsEnabled.Of(webhook)) return true;
        round.Stop();
        return false;
    }

    /// <summary>Takes what is due; what is open may be among it, and leaves room for as much else.</summary>
    private ValueTask<DueDeliveries> Take(Round round, Lanes lanes, string holder)
    {
        var now = clock.GetUtcNow();
        return round.Deliveries.AcquireDue(round.WebhookId, holder, now, now + HoldMargin, lanes.Open + MostLanes, CancellationToken.None);
    }

    private static RoundSent End(DueDeliveries due) => due switch
    {
        { Next: var (delivery, at) } => new RoundSent(RoundEnd.Waits, new LaneWait(delivery.NextAttempt, at)),
        { State: WorkState.Due } => new RoundSent(RoundEnd.More),
        _ => new RoundSent(RoundEnd.Done),
    };

    [SuppressMessage("Design", "CA1031", Justification = "Nobody waits for it: what went wrong is logged, and the lane is due again in time.")]
    private async Task GoOn(Task work, string webhookId)
    {
        try
        {
            await work;
        }
        catch (Exception e)
        {
            if (e is not OperationCanceledException) Lost(log, e, webhookId);
        }
    }

    /// <summary>Sends what is ready, until the lanes end; then completes the attempts.</summary>
    private async Task SendReady(Round round, Lanes lanes)
    {
        try
        {
            await Task.WhenAll(Enumerable.Range(0, slots.MaxPerEndpoint).Select(_ => SendOneByOne(round, lanes)));
        }
        finally
        {
            lanes.Attempts.Writer.Complete();
        }
    }

    /// <summary>Sends one delivery after the other, each the oldest of its lane.</summary>
    private async Task SendOneByOne(Round round, Lanes lanes)
    {
        try
        {
            await foreach (var delivery in lanes.Ready.ReadAllAsync(CancellationToken.None))
            {
                using var slot = await slots.TryEnter(round.Store.Partition.Key, round.WebhookId, round.Stopping);
                if (slot is null) return;
                var happened = await round.Store.FindEvent(delivery.EventId, CancellationToken.None);
                if (!round.Begin(delivery, slot)) return;
                lanes.Attempts.Writer.TryWrite((delivery.Lane, happened is null ? Expire(delivery) : await Send(round, delivery, happened)));
            }
        }
        finally
        {
            lanes.End();
        }
    }

    /// <summary>Gives up what is past its retention: there is nothing left to send.</summary>
    private FinishedAttempt Expire(Core.Webhooks.Delivery delivery)
    {
        var expired = new DeliveryAttempt(delivery.NextAttempt, clock.GetUtcNow(), TimeSpan.Zero, AttemptOutcome.Expired, null, null);
        return new FinishedAttempt(delivery.Id, expired, DeliveryStatus.Failed, expired.At);
    }

    private async Task<FinishedAttempt> Send(Round round, Core.Webhooks.Delivery delivery, StoredEvent happened)
    {
        var (webhook, secrets) = round.Endpoint;
        var (attempt, retryAfter) = await sender.Send(Webhook.Url.Of(webhook)!, secrets, happened, delivery.NextAttempt, CancellationToken.None);
        Tell(round, delivery, happened, attempt);

        var isFinal = attempt.Outcome is AttemptOutcome.Delivered or AttemptOutcome.Gone;
        var wait = isFinal ? null : RetrySchedule.After(attempt.Number - delivery.AttemptsBefore, retryAfter, Random.Shared.NextDouble());
        var status = attempt.Outcome is AttemptOutcome.Delivered ? DeliveryStatus.Delivered : wait is null ? DeliveryStatus.Failed : DeliveryStatus.Pending;
        return new FinishedAttempt(delivery.Id, attempt, status, clock.GetUtcNow() + (wait ?? TimeSpan.Zero));
    }

    /// <summary>
    /// Notes what came of attempts, all at once that were made since it last did, until all lanes are done, fewer deliveries are ready than <paramref name="enough"/>, or
    /// <paramref name="until"/> completes and nothing is to be noted.
    /// </summary>
    private async Task NoteAttempts(Round round, Lanes lanes, int enough = 0, Task? until = null)
    {
        while (lanes.Open > 0 && lanes.Ready.Count >= enough && await lanes.IsAttemptMade(until))
        {
            var attempts = new List<(Lane Lane, FinishedAttempt Made)>();
            while (lanes.Attempts.Reader.TryRead(out var attempt)) attempts.Add(attempt);
            var noted = await round.Deliveries.RecordAttempts(round.WebhookId, [.. attempts.Select(each => each.Made)], CancellationToken.None);
            var goesOn = await Look(round);
            for (var i = 0; i < attempts.Count; i++)
            {
                var (lane, made) = attempts[i];
                await Heed(round, made, noted[i]);
                lanes.Go(lane, made.Status is DeliveryStatus.Pending || !goesOn ? null : noted[i].Next);
            }
        }
    }

    private async Task Heed(Round round, FinishedAttempt made, RecordedAttempt noted)
    {
        var isWaitedFor = round.Done(made.DeliveryId);
        var (attempt, isExpired) = (made.Attempt, made.Attempt.Outcome is AttemptOutcome.Expired);
        if (attempt.Outcome is AttemptOutcome.Gone) await Disable(round, "gone", "The endpoint answered 410 Gone");
        else if (!isExpired && noted.FailingSince <= attempt.At - FailureRun.MaxDuration) await Disable(round, "failing", $"Nothing but failures for {FailureRun.MaxDuration.Days} days");
        else if (!isWaitedFor && noted.Next is not null) await round.Begin(clock.GetUtcNow());
    }

    private async Task Disable(Round round, string cause, string reason)
    {
        if (!round.Stop()) return;
        var webhook = round.Endpoint.Webhook;
        if (!await WebhookOperations.Disable(new RecordSet(round.Store, Origin.OfSystem, ids, clock), webhook, reason, CancellationToken.None)) return;
        Disabled(log, webhook.Id, reason, round.Store.Partition.WorkspaceId);
        Instruments.EndpointsDisabled.Add(1, new KeyValuePair<string, object?>("cause", cause));
        await round.Deliveries.Finalize(webhook.Id, DeliveryStatus.Failed, clock.GetUtcNow(), CancellationToken.None);
    }

    private void Tell(Round round, Core.Webhooks.Delivery delivery, StoredEvent happened, DeliveryAttempt attempt)
    {
        Instruments.Attempts.Add(1, new KeyValuePair<string, object?>("outcome", attempt.Outcome.Name()));
        if (attempt.Outcome is AttemptOutcome.Delivered) Instruments.DeliveryLag.Record((clock.GetUtcNow() - happened.At).TotalSeconds);
        Attempted(log, delivery.EventName, happened.Id, round.WebhookId, attempt.Number, attempt.Outcome, attempt.StatusCode, round.Store.Partition.WorkspaceId);
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "{EventName} {EventId} to {WebhookId}, attempt {Number}: {Outcome} {Status}, workspace {WorkspaceId}")]
    private static partial void Attempted(ILogger logger, string eventName, string eventId, string webhookId, int number, AttemptOutcome outcome, int? status, string workspaceId);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{WebhookId} is disabled: {Reason}, workspace {WorkspaceId}")]
    private static partial void Disabled(ILogger logger, string webhookId, string reason, string workspaceId);

    [LoggerMessage(Level = LogLevel.Error, Message = "What came of slow attempts at {WebhookId} could not be noted; they will be made again")]
    private static partial void Lost(ILogger logger, Exception e, string webhookId);
}
