using System.Security.Cryptography;
using System.Text.Json;
using NodeStash.Core.Records;
using NodeStash.Core.Storage;
using NodeStash.Core.Values;

namespace NodeStash.Core.Webhooks;

/// <summary>Creates, changes and deletes webhook endpoints. It checks addresses, manages secrets and finalizes pending deliveries.</summary>
public sealed class WebhookOperations(IDeliveryStores deliveries, SecretBox box, WebhookOptions options, TimeProvider clock)
{
    /// <summary>Prefix of a signing secret, which the Standard Webhooks libraries expect before its base64.</summary>
    public const string SecretPrefix = "whsec_";

    private const int SecretBytes = 32;

    /// <summary>Generates a signing secret: <c>whsec_</c> and the base64 of 32 random bytes. Show it once.</summary>
    public static string NewSecret() => SecretPrefix + Convert.ToBase64String(RandomNumberGenerator.GetBytes(SecretBytes));

    /// <summary>Creates an endpoint that signs with the secret.</summary>
    public ValueTask<Result<StoredRecord>> Create(RecordSet records, JsonElement body, string secret, CancellationToken ct)
    {
        var errors = new ValidationErrors();
        var input = Input.Read(Webhook.Schema, body, null, errors);
        return records.Create(Webhook.Schema, input, errors, webhook =>
        {
            CheckUrl(webhook, errors);
            webhook[Webhook.Secret] = Seal(secret, webhook);
        }, ct);
    }

    /// <summary>Replaces the secret of an endpoint. The old secret signs, too, until the grace ends.</summary>
    public ValueTask<Result<StoredRecord>> RotateSecret(RecordSet records, string id, string secret, TimeSpan grace, CancellationToken ct) =>
        records.Update(Webhook.Schema, id, null, (change, _) =>
        {
            var webhook = change.After!;
            webhook[Webhook.SecretBefore] = webhook[Webhook.Secret];
            webhook[Webhook.GraceEndsAt] = change.Now + grace;
            webhook[Webhook.Secret] = Seal(secret, webhook);
            return null;
        }, ct);

    /// <summary>Changes an endpoint. Disabling it fails its pending deliveries; they can be recovered.</summary>
    public async ValueTask<Result<StoredRecord>> Update(
        RecordSet records, Partition partition, string id, JsonElement body, long? ifVersion, CancellationToken ct)
    {
        var updated = await records.Update(Webhook.Schema, id, ifVersion, (change, errors) =>
        {
            Input.Read(Webhook.Schema, body, change.Before, errors).ApplyTo(change.After!, errors);
            CheckUrl(change.After!, errors);
            return null;
        }, ct);
        if (updated.Error is null && !records.IsDryRun && !Webhook.IsEnabled.Of(Record.Load(Webhook.Schema, updated.Value)))
            await deliveries.Open(partition).Finalize(id, DeliveryStatus.Failed, clock.GetUtcNow(), ct);
        return updated;
    }

    /// <summary>Deletes an endpoint and cancels its pending deliveries.</summary>
    public async ValueTask<Error?> Delete(RecordSet records, Partition partition, string id, long? ifVersion, CancellationToken ct)
    {
        if (await records.Delete(Webhook.Schema, id, ifVersion, ct) is { } error) return error;
        if (records.IsDryRun) return null;
        await deliveries.Open(partition).Finalize(id, DeliveryStatus.Canceled, clock.GetUtcNow(), ct);
        return null;
    }

    /// <summary>Returns the live signing secrets of an endpoint, newest first.</summary>
    public IReadOnlyList<byte[]> SecretsOf(Record webhook)
    {
        var newest = box.Open(Webhook.Secret.Of(webhook)!, webhook.Id);
        var isInGrace = Webhook.GraceEndsAt.Of(webhook) > clock.GetUtcNow();
        return Webhook.SecretBefore.Of(webhook) is { } before && isInGrace ? [newest, box.Open(before, webhook.Id)] : [newest];
    }

    /// <summary>Disables an endpoint and says why. Does not touch its deliveries.</summary>
    /// <param name="system">The records of its partition, written on the system's behalf.</param>
    /// <param name="seen">The endpoint as it was when it gave the reason. One that has another address by now stays enabled.</param>
    /// <param name="reason">The reason, shown as <c>disabled_reason</c>.</param>
    /// <param name="ct">Ends the wait.</param>
    /// <returns>Whether it is disabled.</returns>
    public static async ValueTask<bool> Disable(RecordSet system, Record seen, string reason, CancellationToken ct)
    {
        var updated = await system.Update(Webhook.Schema, seen.Id, null, (change, _) =>
        {
            if (Webhook.Url.Of(change.Before!) != Webhook.Url.Of(seen) || !Webhook.IsEnabled.Of(change.Before!)) return null;
            change.After![Webhook.IsEnabled] = false;
            change.After[Webhook.DisabledReason] = reason;
            return null;
        }, ct);
        return updated.Error is null && !Webhook.IsEnabled.Of(Record.Load(Webhook.Schema, updated.Value));
    }

    private string Seal(string secret, Record webhook) => box.Seal(Convert.FromBase64String(secret[SecretPrefix.Length..]), webhook.Id);

    private void CheckUrl(Record webhook, ValidationErrors errors)
    {
        if (Webhook.Url.Of(webhook) is not { } text || errors.Has(Webhook.Url.Name)) return;
        if (!Text.IsWebAddress(text)) errors.Add(Webhook.Url.Name, "Expected an absolute https address");
        else if (new Uri(text) is var uri && uri.UserInfo.Length > 0) errors.Add(Webhook.Url.Name, "Must not contain a user name or password");
        else if (uri.Fragment.Length > 0) errors.Add(Webhook.Url.Name, "Must not contain a fragment (#…)");
        else if (uri.Scheme is "http" && !(options.AllowLoopback && uri.IsLoopback))
            errors.Add(Webhook.Url.Name, options.AllowLoopback ? "Must be https; http only to this machine (localhost, 127.0.0.1)" : "Must be https");
    }
}
