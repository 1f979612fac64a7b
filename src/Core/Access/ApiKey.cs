using System.Security.Cryptography;
using System.Text;
using NodeStash.Core.Records;
using NodeStash.Core.Storage;

namespace NodeStash.Core.Access;

/// <summary>Declares the resource of API keys: its fields, and which secrets a key accepts. Source: docs/api/access.md, API keys.</summary>
public static class ApiKey
{
    /// <summary>The purpose of the key, in the words of its owner.</summary>
    public static readonly TextField Name = new("name", 100)
    {
        Description = "What the key is for.", Example = "\"Nightly sync\"",
        IsRequired = true,
    };

    /// <summary>The scopes granted to the key (<see cref="Scope"/>).</summary>
    public static readonly TextListField Scopes = new("scopes", max: 50, maxLength: 100)
    {
        Description = "What the key may do.", Example = "[\"contacts:read\"]",
        Access = FieldAccess.CreateOnly, IsRequired = true, NotEmpty = true,
        CheckItem = scope => Scope.IsKnown(scope) ? null : $"Unknown scope '{scope}'",
    };

    /// <summary>The environment that the key opens, <c>live</c> or <c>test</c>.</summary>
    public static readonly ChoiceField Environment = new("environment", "live", "test")
    {
        Description = "The data the key opens, live or test; that of the credential if absent.",
        Access = FieldAccess.CreateOnly, Filter = FilterKind.Exact,
    };

    /// <summary>The first <see cref="ApiKeySecret.ShownPrefix"/> characters of the current secret, to tell keys apart.</summary>
    public static readonly TextField Prefix = new("prefix", ApiKeySecret.ShownPrefix)
    {
        Description = "The first characters of the secret, to tell keys apart.",
        Access = FieldAccess.ReadOnly,
    };

    /// <summary>When the key was last used, at most a minute late (<see cref="KeyUsage"/>); null if never.</summary>
    public static readonly TimeField LastUsedAt = new("last_used_at")
    {
        Description = "When the key was last used; null if never.",
        Access = FieldAccess.ReadOnly,
    };

    /// <summary>When the key stops working; null if it does not expire.</summary>
    public static readonly TimeField ExpiresAt = new("expires_at")
    {
        Description = "When the key stops working; never if absent.", Example = "\"2027-01-01T00:00:00Z\"",
        Access = FieldAccess.CreateOnly,
    };

    /// <summary>When the key was revoked; null if it was not.</summary>
    public static readonly TimeField RevokedAt = new("revoked_at")
    {
        Description = "When the key was revoked; null while it works.",
        Access = FieldAccess.ReadOnly,
    };

    /// <summary>The hashes of the secrets: the current one last; after a rotation, the one before it first.</summary>
    public static readonly TextListField Hashes = new("hashes", max: 2, maxLength: 64) { Access = FieldAccess.Internal };

    /// <summary>The time until which the secret before the last rotation works; null if there was no rotation.</summary>
    public static readonly TimeField GraceEndsAt = new("grace_ends_at") { Access = FieldAccess.Internal };

    /// <summary>The schema. Keys are stored in the live partition of their workspace.</summary>
    public static Schema Schema { get; } = new(
        "api_key", "key_", "api-keys", [Name, Scopes, Environment, Prefix, LastUsedAt, ExpiresAt, RevokedAt, Hashes, GraceEndsAt])
    {
        Noun = "API key",
    };

    /// <summary>Whether the key accepts a secret of this hash now: not revoked, not expired, and current or within its grace.</summary>
    public static bool Accepts(Record key, string hash, DateTimeOffset now)
    {
        if (RevokedAt.Of(key) is not null || ExpiresAt.Of(key) <= now) return false;
        var hashes = Hashes.Of(key);
        return IsSame(hash, hashes[^1]) || (hashes.Count > 1 && IsSame(hash, hashes[0]) && GraceEndsAt.Of(key) > now);
    }

    /// <summary>Returns the environment that the key opens.</summary>
    public static WorkspaceEnvironment EnvironmentOf(Record key) => Environment.Of(key) is "live" ? WorkspaceEnvironment.Live : WorkspaceEnvironment.Test;

    /// <summary>Compares two hashes in constant time.</summary>
    private static bool IsSame(string left, string right) =>
        CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(left), Encoding.ASCII.GetBytes(right));
}
