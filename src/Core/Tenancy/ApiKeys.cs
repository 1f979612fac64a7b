using System.Text.Json;
using NodeStash.Core.Access;
using NodeStash.Core.Events;
using NodeStash.Core.Records;
using NodeStash.Core.Storage;
using NodeStash.Core.Values;

namespace NodeStash.Core.Tenancy;

/// <summary>
/// Makes, rotates and revokes API keys. A key is a record of its workspace, which alone decides what its secrets open; beside it, an entry by
/// the hash of each secret tells where the key is. The entry is written first, so that a crash leaves an entry without effect, nothing else.
/// </summary>
public sealed class ApiKeys(Catalog catalog, IAccessStore access, Ids ids, TimeProvider clock)
{
    /// <summary>Makes a key for a caller, who can't give it what the caller lacks.</summary>
    /// <param name="caller">Who asks.</param>
    /// <param name="records">Makes the workspace's records to write to, given the secret that the answer is to show.</param>
    /// <param name="body">The key's fields.</param>
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
        if (environment is WorkspaceEnvironment.Live && !live) return LiveOnly;
        return await Create(records, caller.Partition.WorkspaceId, environment, input, errors, ct);
    }

    /// <summary>Makes the first key of a workspace: it may do everything.</summary>
    public async ValueTask<NewKey> CreateFirst(IWorkspaceStore store, string name, CancellationToken ct)
    {
        var body = JsonElement.Parse($$"""{"name":"{{name}}","scopes":["*"]}""");
        var errors = new ValidationErrors();
        var input = Input.Read(ApiKey.Schema, body, null, errors);
        var records = new RecordSet(catalog, store, Origin.OfSystem, ids, clock);
        return (await Create(_ => records, store.Partition.WorkspaceId, WorkspaceEnvironment.Live, input, errors, ct)).Value;
    }

    /// <summary>A new secret for a key; the one before works on for a while.</summary>
    /// <param name="caller">Who asks.</param>
    /// <param name="records">Makes the workspace's records to write to, given the secret that the answer is to show.</param>
    /// <param name="id">Of the key.</param>
    /// <param name="grace">How long the secret before works on.</param>
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
            if (!MayChange(caller, key)) return LiveOnly;
            if (ApiKey.Scopes.Of(key).FirstOrDefault(s => !caller.May(new Scope(s))) is { } lacking) return Error.InsufficientScope(lacking);
            key[ApiKey.Hashes] = ApiKey.Hashes.Of(key).TakeLast(1).Append(hash).ToList();
            key[ApiKey.GraceEndsAt] = change.Now + grace;
            key[ApiKey.Prefix] = secret[..ApiKeySecret.ShownPrefix];
            return null;
        }, ct);
        return updated.Error is { } error ? error : new NewKey(updated.Value, writable.IsDryRun ? null : secret);
    }

    /// <summary>Revokes a key: refused from the next request on. Revoking it again changes nothing.</summary>
    public static async ValueTask<Error?> Revoke(Caller caller, RecordSet records, string id, long? ifVersion, CancellationToken ct)
    {
        var revoked = await records.Update(ApiKey.Schema, id, ifVersion, (change, _) =>
        {
            if (!MayChange(caller, change.Before!)) return LiveOnly;
            change.After![ApiKey.RevokedAt] ??= Text.ToSecond(change.Now);
            return null;
        }, ct);
        return revoked.Error;
    }

    private static Error LiveOnly { get; } = new(ErrorCode.InsufficientScope, "A test key can't make or change live keys", []);

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

    /// <summary>Makes a secret findable. It opens nothing until the key's record names its hash; if it never does, the entry stays without effect.</summary>
    /// <returns>The secret's hash.</returns>
    private async ValueTask<string> Register(RecordSet records, string workspaceId, string keyId, string secret, CancellationToken ct)
    {
        var hash = ApiKeySecret.Hash(secret);
        if (!records.IsDryRun) await access.PutCredential(new Credential(hash, keyId, workspaceId), ct);
        return hash;
    }

    private static bool MayChange(Caller caller, Record key) =>
        caller.Partition.Environment is WorkspaceEnvironment.Live || ApiKey.EnvironmentOf(key) is WorkspaceEnvironment.Test;
}

/// <param name="Key">The key as stored.</param>
/// <param name="Secret">To be shown once; stored nowhere. Null in a dry run.</param>
public sealed record NewKey(StoredRecord Key, string? Secret)
{
    /// <summary>Keeps the secret out of logs.</summary>
    public override string ToString() => Key.Id;
}

/// <summary>A secret on its way to the answer that shows it.</summary>
/// <param name="Value">The secret; null where none is to be shown.</param>
public readonly record struct NewSecret(string? Value)
{
    /// <summary>Keeps the secret out of logs.</summary>
    public override string ToString() => "";
}
