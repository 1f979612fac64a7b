using System.Text.Json;
using NodeStash.Core.Access;
using NodeStash.Core.Events;
using NodeStash.Core.Records;
using NodeStash.Core.Storage;
using NodeStash.Core.Values;

namespace NodeStash.Core.Tenancy;

/// <summary>
/// Creates, rotates and revokes API keys. A key is a record of its workspace; the record alone decides what its secrets open. For each secret, a
/// credential locates the record by the secret's hash. It is written first, so that a crash can only leave a credential without effect.
/// </summary>
public sealed class ApiKeys(Catalog catalog, IAccessStore access, Ids ids, TimeProvider clock)
{
    /// <summary>Creates a key. The caller cannot grant scopes or an environment that it lacks.</summary>
    /// <param name="caller">The caller, whose scopes and environment limit the key.</param>
    /// <param name="records">Opens the workspace's records for writing, given the secret that the answer shows.</param>
    /// <param name="body">The fields of the key, as JSON.</param>
    /// <param name="ct">Ends the wait.</param>
    public async ValueTask<Result<NewKey>> Create(Caller caller, Func<NewSecret, RecordSet> records, JsonElement body, CancellationToken ct)
    {
        var (errors, live) = (new ValidationErrors(), caller.Partition.Environment is WorkspaceEnvironment.Live);
        var input = Input.Read(ApiKey.Schema, body, null, errors);
        var draft = Record.New(ApiKey.Schema, "", clock.GetUtcNow());
        input.ApplyTo(draft, errors);
        var environment = ApiKey.Environment.Of(draft) is { } wanted
            ? wanted is "live" ? WorkspaceEnvironment.Live : WorkspaceEnvironment.Test
            : caller.Partition.Environment;
        if (ApiKey.ExpiresAt.Of(draft) <= clock.GetUtcNow()) errors.Add(ApiKey.ExpiresAt.Name, "Must be in the future");
        if (ApiKey.Scopes.Of(draft).FirstOrDefault(s => !caller.May(new Scope(s))) is { } lacking) return Error.InsufficientScope(lacking);
        if (environment is WorkspaceEnvironment.Live && !live) return LiveKeyRequired;
        return await Create(records, caller.Partition.WorkspaceId, environment, input, errors, ct);
    }

    /// <summary>Creates the first key of a workspace: live, with every scope.</summary>
    public async ValueTask<NewKey> CreateFirst(IWorkspaceStore store, string name, CancellationToken ct)
    {
        var body = JsonElement.Parse($$"""{"name":"{{name}}","scopes":["*"]}""");
        var errors = new ValidationErrors();
        var input = Input.Read(ApiKey.Schema, body, null, errors);
        var records = new RecordSet(catalog, store, Origin.OfSystem, ids, clock);
        return (await Create(_ => records, store.Partition.WorkspaceId, WorkspaceEnvironment.Live, input, errors, ct)).Value;
    }

    /// <summary>Replaces the secret of a key. The old secret works until the grace ends.</summary>
    /// <param name="caller">The caller. A test key cannot rotate a live one.</param>
    /// <param name="records">Opens the workspace's records for writing, given the secret that the answer shows.</param>
    /// <param name="id">The key, <c>key_…</c></param>
    /// <param name="grace">Time for which the old secret still works.</param>
    /// <param name="ct">Ends the wait.</param>
    public async ValueTask<Result<NewKey>> Rotate(Caller caller, Func<NewSecret, RecordSet> records, string id, TimeSpan grace, CancellationToken ct)
    {
        var writable = records(new NewSecret(null));
        var found = await writable.Get(ApiKey.Schema, id, ct);
        if (found.Error is { } missing) return missing;
        var secret = ApiKeySecret.New(ApiKey.EnvironmentOf(Record.Load(ApiKey.Schema, found.Value)));
        if (!writable.IsDryRun) writable = records(new NewSecret(secret));
        var hash = await Register(writable, caller.Partition.WorkspaceId, id, secret, ct);
        var updated = await writable.Update(ApiKey.Schema, id, null, (change, _) =>
        {
            var key = change.After!;
            if (ApiKey.RevokedAt.Of(key) is not null) return Error.Conflict($"The API key '{id}' is revoked");
            if (!MayChange(caller, key)) return LiveKeyRequired;
            if (ApiKey.Scopes.Of(key).FirstOrDefault(s => !caller.May(new Scope(s))) is { } lacking) return Error.InsufficientScope(lacking);
            key[ApiKey.Hashes] = ApiKey.Hashes.Of(key).TakeLast(1).Append(hash).ToList();
            key[ApiKey.GraceEndsAt] = change.Now + grace;
            key[ApiKey.Prefix] = secret[..ApiKeySecret.ShownPrefix];
            return null;
        }, ct);
        return updated.Error is { } error ? error : new NewKey(updated.Value, writable.IsDryRun ? null : secret);
    }

    /// <summary>Revokes a key, from the next request on. Revoking it again changes nothing.</summary>
    public static async ValueTask<Error?> Revoke(Caller caller, RecordSet records, string id, long? ifVersion, CancellationToken ct)
    {
        var revoked = await records.Update(ApiKey.Schema, id, ifVersion, (change, _) =>
        {
            if (!MayChange(caller, change.Before!)) return LiveKeyRequired;
            change.After![ApiKey.RevokedAt] ??= Text.ToSecond(change.Now);
            return null;
        }, ct);
        return revoked.Error;
    }

    private static Error LiveKeyRequired { get; } = new(ErrorCode.InsufficientScope, "A test key can't make or change live keys", []);

    private async ValueTask<Result<NewKey>> Create(
        Func<NewSecret, RecordSet> records, string workspaceId, WorkspaceEnvironment environment, Input input, ValidationErrors errors, CancellationToken ct)
    {
        if (errors.Any) return Error.Invalid(errors.All);
        var (id, secret) = (ids.New(ApiKey.Schema.Prefix), ApiKeySecret.New(environment));
        var writable = records(new NewSecret(secret));
        var hash = await Register(writable, workspaceId, id, secret, ct);
        var created = await writable.Create(ApiKey.Schema, input, errors, key =>
        {
            key[ApiKey.Environment] = environment is WorkspaceEnvironment.Live ? "live" : "test";
            key[ApiKey.Prefix] = secret[..ApiKeySecret.ShownPrefix];
            key[ApiKey.Hashes] = new List<string> { hash };
        }, ct, id);
        return created.Error is { } error ? error : new NewKey(created.Value, writable.IsDryRun ? null : secret);
    }

    /// <summary>Stores the credential of a secret. It opens nothing until the record of the key contains its hash.</summary>
    /// <returns>The hash of the secret.</returns>
    private async ValueTask<string> Register(RecordSet records, string workspaceId, string keyId, string secret, CancellationToken ct)
    {
        var hash = ApiKeySecret.Hash(secret);
        if (!records.IsDryRun) await access.PutCredential(new Credential(hash, keyId, workspaceId), ct);
        return hash;
    }

    private static bool MayChange(Caller caller, Record key) =>
        caller.Partition.Environment is WorkspaceEnvironment.Live || ApiKey.EnvironmentOf(key) is WorkspaceEnvironment.Test;
}

/// <summary>Holds a created or rotated key with its new secret.</summary>
/// <param name="Key">The record of the key, as stored.</param>
/// <param name="Secret">The secret, to be shown once; it is stored nowhere. Null in a dry run.</param>
public sealed record NewKey(StoredRecord Key, string? Secret)
{
    /// <summary>Keeps the secret out of logs.</summary>
    public override string ToString() => Key.Id;
}

/// <summary>Carries a new secret to the answer that shows it.</summary>
/// <param name="Value">The secret; null if the answer shows none.</param>
public readonly record struct NewSecret(string? Value)
{
    /// <summary>Keeps the secret out of logs.</summary>
    public override string ToString() => "";
}
