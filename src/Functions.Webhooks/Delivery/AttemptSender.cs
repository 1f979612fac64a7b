using Microsoft.Extensions.Logging;
using NodeStash.Core.Storage;
using NodeStash.Core.Telemetry;
using NodeStash.Core.Webhooks;

namespace NodeStash.Functions.Webhooks.Delivery;

/// <summary>Makes the attempts of a round: takes ready deliveries from its lanes, sends them, and puts the finished attempts back to be recorded.</summary>
internal sealed partial class AttemptSender(WebhookSender sender, SendSlots slots, TimeProvider clock, ILogger log)
{
    /// <summary>Sends ready deliveries side by side until the lanes close, then completes <see cref="Lanes.Finished"/>.</summary>
    public async Task SendReady(Dispatch dispatch)
    {
        try
        {
            await Task.WhenAll(Enumerable.Range(0, slots.MaxPerEndpoint).Select(_ => SendInTurn(dispatch)));
        }
        finally
        {
            dispatch.Lanes.Finished.Writer.Complete();
        }
    }

    /// <summary>Sends one ready delivery after the other, each the oldest of its lane.</summary>
    private async Task SendInTurn(Dispatch dispatch)
    {
        var (store, round, lanes) = (dispatch.Store, dispatch.Round, dispatch.Lanes);
        try
        {
            await foreach (var delivery in lanes.Ready.ReadAllAsync(CancellationToken.None))
            {
                using var slot = await slots.TryEnter(store.Partition.Key, dispatch.WebhookId, round.Closing);
                if (slot is null) return;
                var happened = await store.FindEvent(delivery.EventId, CancellationToken.None);
                if (!round.TryBeginAttempt(delivery, slot)) return;
                lanes.Finished.Writer.TryWrite((delivery.Lane, happened is null ? Expire(delivery) : await Send(dispatch, delivery, happened)));
            }
        }
        finally
        {
            lanes.Close();
        }
    }

    /// <summary>Fails a delivery whose event is past its retention: there is nothing left to send.</summary>
    private FinishedAttempt Expire(Core.Webhooks.Delivery delivery)
    {
        var expired = new DeliveryAttempt(delivery.NextAttempt, clock.GetUtcNow(), TimeSpan.Zero, AttemptOutcome.Expired, null, null);
        return new FinishedAttempt(delivery.Id, expired, DeliveryStatus.Failed, expired.At);
    }

    private async Task<FinishedAttempt> Send(Dispatch dispatch, Core.Webhooks.Delivery delivery, StoredEvent happened)
    {
        var (webhook, secrets) = dispatch.Round.Endpoint;
        var (attempt, retryAfter) = await sender.Send(Webhook.Url.Of(webhook)!, secrets, happened, delivery.NextAttempt, CancellationToken.None);
        ReportAttempt(dispatch, delivery, happened, attempt);

        var isFinal = attempt.Outcome is AttemptOutcome.Delivered or AttemptOutcome.Gone;
        var wait = isFinal ? null : RetrySchedule.After(attempt.Number - delivery.AttemptsBefore, retryAfter, Random.Shared.NextDouble());
        var status = attempt.Outcome is AttemptOutcome.Delivered ? DeliveryStatus.Delivered : wait is null ? DeliveryStatus.Failed : DeliveryStatus.Pending;
        return new FinishedAttempt(delivery.Id, attempt, status, clock.GetUtcNow() + (wait ?? TimeSpan.Zero));
    }

    private void ReportAttempt(Dispatch dispatch, Core.Webhooks.Delivery delivery, StoredEvent happened, DeliveryAttempt attempt)
    {
        Instruments.Attempts.Add(1, new KeyValuePair<string, object?>("outcome", attempt.Outcome.Name()));
        if (attempt.Outcome is AttemptOutcome.Delivered) Instruments.DeliveryLag.Record((clock.GetUtcNow() - happened.At).TotalSeconds);
        var workspaceId = dispatch.Store.Partition.WorkspaceId;
        Attempted(log, delivery.EventName, happened.Id, dispatch.WebhookId, attempt.Number, attempt.Outcome, attempt.StatusCode, workspaceId);
    }

    [LoggerMessage(Level = LogLevel.Information,
        Message = "{EventName} {EventId} to {WebhookId}, attempt {Number}: {Outcome} {Status}, workspace {WorkspaceId}")]
    private static partial void Attempted(
        ILogger logger, string eventName, string eventId, string webhookId, int number, AttemptOutcome outcome, int? status, string workspaceId);
}
