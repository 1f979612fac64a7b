using System.Diagnostics.CodeAnalysis;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.Logging;
using NodeStash.Core.Events;
using NodeStash.Core.Records;
using NodeStash.Core.Resources;
using NodeStash.Core.Storage;
using NodeStash.Core.Telemetry;
using NodeStash.Core.Values;
using NodeStash.Core.Webhooks;

namespace NodeStash.Functions.Webhooks.Delivery;

/// <summary>
/// Runs one round of an endpoint's worker: sends due deliveries, lanes side by side, each lane from its oldest delivery until it is empty or a delivery fails.
/// An attempt that outlasts the round goes on by itself, and its lane is deferred until then.
/// </summary>
public sealed partial class SendDeliveries(
    IWorkspaceStores stores, IDeliveryStores deliveryStores, WebhookOperations endpoints, WebhookSender sender, SendSlots slots, WebhookOptions options,
    Ids ids, TimeProvider clock, ILogger<SendDeliveries> log)
{
    /// <summary>Lanes acquired at a time: more than may be sent at once, so that sending does not wait for outcomes to be on disk.</summary>
    private const int MaxLanes = 512;

    /// <summary>Wait before acquiring again where little was due, so that one round collects events in quick succession.</summary>
    private static readonly TimeSpan Gathering = TimeSpan.FromMilliseconds(50);

    /// <summary>Time that attempts get to end after the round has closed. Those that take longer are slow.</summary>
    private static readonly TimeSpan ClosingTime = TimeSpan.FromMilliseconds(250);

    /// <summary>Longest time that <see cref="SendDueDeliveries"/> begins and waits for attempts. Then it records outcomes and ends.</summary>
    public static readonly TimeSpan MaxRoundTime = Round.MaxTime + ClosingTime;

    /// <summary>Time after which a lost worker gives up its endpoint, counted from the end of its sleep.</summary>
    private static readonly TimeSpan HoldMargin = TimeSpan.FromHours(1);

    /// <summary>Time after which a lost attempt gives up its lane, counted from its timeout.</summary>
    private static readonly TimeSpan AttemptMargin = TimeSpan.FromSeconds(15);

    private readonly AttemptSender attempts = new(sender, slots, clock, log);

    /// <summary>Sends what is due at an endpoint for about a second, or up to ten while its receiver keeps up.</summary>
    /// <returns>How the round ended.</returns>
    [Function(nameof(SendDueDeliveries))]
    public async Task<RoundSent> SendDueDeliveries([ActivityTrigger] EndpointWork work, [DurableClient] DurableTaskClient client, CancellationToken ct)
    {
        if (slots.IsBusy(work.Partition, work.WebhookId)) return new RoundSent(RoundEnd.Busy);
        var holder = work.Holder ?? throw new InvalidOperationException("Work has a holder once it has started.");
        var partition = Partition.Parse(work.Partition);
        using var round = new Round(slots, clock, ct);
        var dispatch = new Dispatch(work.WebhookId, holder, stores.Open(partition), deliveryStores.Open(partition), client, round, new Lanes());
        using var close = round.Closing.UnsafeRegister(_ => dispatch.Lanes.Close(), null);
        var working = RunRound(dispatch);
        await Task.WhenAny(working, round.Closed);
        if (!working.IsCompleted) await Task.WhenAny(working, Task.Delay(ClosingTime, TimeProvider.System, CancellationToken.None));
        if (!working.IsCompleted && round.Detach() is { Count: > 0 } inFlight)
        {
            await dispatch.Deliveries.Defer(inFlight, clock.GetUtcNow() + options.Timeout + AttemptMargin, CancellationToken.None);
            _ = ObserveDetached(working, work.WebhookId);
        }
        else if (await working is { } sent)
        {
            return sent;
        }

        ct.ThrowIfCancellationRequested();
        return new RoundSent(slots.IsBusy(work.Partition, work.WebhookId) ? RoundEnd.Busy : RoundEnd.More);
    }

    /// <summary>Works on lanes until nothing is due, or until the round is over and its attempts have ended and are recorded.</summary>
    /// <returns>How the round ended; null where its time was up.</returns>
    private async Task<RoundSent?> RunRound(Dispatch dispatch)
    {
        var sending = attempts.SendReady(dispatch);
        RoundSent? sent;
        try
        {
            sent = await DispatchLoop(dispatch);
        }
        finally
        {
            dispatch.Lanes.Close();
            await RecordFinished(dispatch);
        }

        await sending;
        return sent;
    }

    /// <summary>
    /// Acquires due deliveries and records finished attempts, in turns, so that a delivery in flight is not acquired again. It acquires more before all
    /// deliveries are sent, so that senders need not wait.
    /// </summary>
    private async Task<RoundSent?> DispatchLoop(Dispatch dispatch)
    {
        var (round, lanes) = (dispatch.Round, dispatch.Lanes);
        var patience = Gathering;
        while (!round.IsClosed && !lanes.IsClosed)
        {
            var due = await AcquireDue(dispatch);

            // The endpoint is read after the due deliveries, so that an event is signed with the secrets of the time it happened, or later ones.
            var asOf = clock.GetUtcNow();
            if (due.State is WorkState.Due or WorkState.Waits && await RefreshEndpoint(dispatch) is not EndpointState.Enabled and var state)
                return await FinalizePending(dispatch, state, asOf);

            if (due.State is not WorkState.Due && lanes.OpenCount == 0) return ToRoundSent(due);
            var opened = lanes.Open(due.Heads);
            var isMuchDue = due.Heads.Count >= slots.MaxPerEndpoint;
            if (isMuchDue && opened > 0)
            {
                await RecordFinished(dispatch, enough: Math.Max(1, opened / 2));
                continue;
            }

            // The loop does not wait for a slow attempt, because other records may have deliveries due. The longer it lasts, the less often the loop asks.
            patience = opened > 0 ? Gathering : patience * 2;
            await RecordFinished(dispatch, until: Task.Delay(patience, TimeProvider.System, round.Closing));
            if (lanes.OpenCount == 0 && !isMuchDue)
                await Task.Delay(Gathering, TimeProvider.System, round.Closing).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        return null;
    }

    /// <summary>Acquires due deliveries. Open lanes may be among them, so the limit leaves room for as many others.</summary>
    private ValueTask<DueDeliveries> AcquireDue(Dispatch dispatch)
    {
        var (now, limit) = (clock.GetUtcNow(), dispatch.Lanes.OpenCount + MaxLanes);
        return dispatch.Deliveries.AcquireDue(dispatch.WebhookId, dispatch.Holder, now, now + HoldMargin, limit, CancellationToken.None);
    }

    /// <summary>Reads the endpoint again, and closes the round where it is deleted or disabled. Attempts in flight keep the last endpoint read.</summary>
    private async Task<EndpointState> RefreshEndpoint(Dispatch dispatch)
    {
        var state = EndpointState.Deleted;
        if (await dispatch.Store.Find(Webhook.Schema.Type, dispatch.WebhookId, CancellationToken.None) is { } stored)
        {
            var webhook = Record.Load(Webhook.Schema, stored);
            dispatch.Round.Endpoint = new EndpointSnapshot(webhook, endpoints.SecretsOf(webhook));
            state = Webhook.IsEnabled.Of(webhook) ? EndpointState.Enabled : EndpointState.Disabled;
        }

        if (state is not EndpointState.Enabled) dispatch.Round.StopSending(state);
        return state;
    }

    /// <summary>
    /// Cancels or fails the pending deliveries of an endpoint that is deleted or disabled. Leaves those recorded after <paramref name="asOf"/> to the next
    /// round, which reads the endpoint anew: it may be enabled again.
    /// </summary>
    private async Task<RoundSent> FinalizePending(Dispatch dispatch, EndpointState state, DateTimeOffset asOf)
    {
        await RecordFinished(dispatch);
        var status = state is EndpointState.Deleted ? DeliveryStatus.Canceled : DeliveryStatus.Failed;
        await dispatch.Deliveries.Finalize(dispatch.WebhookId, status, asOf, CancellationToken.None);
        return ToRoundSent(await AcquireDue(dispatch));
    }

    private static RoundSent ToRoundSent(DueDeliveries due) => due switch
    {
        { Next: var (delivery, at) } => new RoundSent(RoundEnd.Waits, new LaneWait(delivery.NextAttempt, at)),
        { State: WorkState.Due } => new RoundSent(RoundEnd.More),
        _ => new RoundSent(RoundEnd.NoWork),
    };

    [SuppressMessage("Design", "CA1031", Justification = "Nobody awaits it: the error is logged, and the lane is due again in time.")]
    private async Task ObserveDetached(Task working, string webhookId)
    {
        try
        {
            await working;
        }
        catch (Exception e)
        {
            if (e is not OperationCanceledException) Lost(log, e, webhookId);
        }
    }

    /// <summary>
    /// Records finished attempts in batches until no lane is open, fewer deliveries are ready than <paramref name="enough"/>, or <paramref name="until"/>
    /// completes with nothing to record.
    /// </summary>
    private async Task RecordFinished(Dispatch dispatch, int enough = 0, Task? until = null)
    {
        var lanes = dispatch.Lanes;
        while (lanes.OpenCount > 0 && lanes.Ready.Count >= enough && await lanes.WaitForFinished(until))
        {
            var batch = new List<(Lane Lane, FinishedAttempt Attempt)>();
            while (lanes.Finished.Reader.TryRead(out var finished)) batch.Add(finished);
            var recorded = await dispatch.Deliveries.RecordAttempts(dispatch.WebhookId, [.. batch.Select(each => each.Attempt)], CancellationToken.None);
            var endpoint = await RefreshEndpoint(dispatch);
            for (var i = 0; i < batch.Count; i++)
            {
                var (lane, finished) = batch[i];
                await HandleOutcome(dispatch, finished, recorded[i]);
                lanes.Continue(lane, finished.Status is DeliveryStatus.Pending || endpoint is not EndpointState.Enabled ? null : recorded[i].Next);
            }
        }
    }

    /// <summary>Disables an endpoint that answered 410 or has failed for too long. Wakes the worker for a lane that the round no longer continues.</summary>
    private async Task HandleOutcome(Dispatch dispatch, FinishedAttempt finished, RecordedAttempt recorded)
    {
        var isContinued = dispatch.Round.EndAttempt(finished.DeliveryId);
        var (attempt, isExpired) = (finished.Attempt, finished.Attempt.Outcome is AttemptOutcome.Expired);
        if (attempt.Outcome is AttemptOutcome.Gone)
            await Disable(dispatch, "gone", "The endpoint answered 410 Gone");
        else if (!isExpired && recorded.FailingSince <= attempt.At - FailureRun.MaxDuration)
            await Disable(dispatch, "failing", $"Nothing but failures for {FailureRun.MaxDuration.Days} days");
        else if (!isContinued && recorded.Next is not null)
            await EndpointWorkers.Wake(dispatch.Client, dispatch.Deliveries, dispatch.WebhookId, clock.GetUtcNow(), CancellationToken.None);
    }

    private async Task Disable(Dispatch dispatch, string cause, string reason)
    {
        if (!dispatch.Round.StopSending(EndpointState.Disabled)) return;
        var webhook = dispatch.Round.Endpoint.Webhook;
        var records = new RecordSet(Crm.Catalog, dispatch.Store, Origin.OfSystem, ids, clock);
        if (!await WebhookOperations.Disable(records, webhook, reason, CancellationToken.None)) return;
        Disabled(log, webhook.Id, reason, dispatch.Store.Partition.WorkspaceId);
        Instruments.EndpointsDisabled.Add(1, new KeyValuePair<string, object?>("cause", cause));
        await dispatch.Deliveries.Finalize(webhook.Id, DeliveryStatus.Failed, clock.GetUtcNow(), CancellationToken.None);
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "{WebhookId} is disabled: {Reason}, workspace {WorkspaceId}")]
    private static partial void Disabled(ILogger logger, string webhookId, string reason, string workspaceId);

    [LoggerMessage(Level = LogLevel.Error, Message = "The outcomes of slow attempts at {WebhookId} could not be recorded; the attempts will be made again")]
    private static partial void Lost(ILogger logger, Exception e, string webhookId);
}
