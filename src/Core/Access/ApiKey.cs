using System.Security.Cryptography;
using System.Text;
using NodeStash.Core.Records;
using NodeStash.Core.Storage;

namespace NodeStash.Core.Access;

/// <summary>An API key as its workspace sees it; the secret is not part of it. docs/api/access.md, API keys.</summary>
public static class ApiKey
{
    public static readonly TextField Name = new("name", 100)
    {
        Description = "What the key is for.", Example = "\"Nightly sync\"",
        IsRequired = true,
    };

    public static readonly TextListField Scopes = new("scopes", max: 50, maxLength: 100)
    {
        Description = "What the key may do.", Example = "[\"contacts:read\"]",
        Access = FieldAccess.CreateOnly, IsRequired = true, NotEmpty = true,
        CheckItem = scope => Scope.IsKnown(scope) ? null : $"Unknown scope '{scope}'",
    };

    public static readonly ChoiceField Environment = new("environment", "live", "test")
    {
        Description = "The data the key opens, live or test; that of the credential if absent.",
        Access = FieldAccess.CreateOnly, Filter = FilterKind.Exact,
    };

    public static readonly TextField Prefix = new("prefix", ApiKeySecret.ShownPrefix)
    {
        Description = "The first characters of the secret, to tell keys apart.",
        Access = FieldAccess.ReadOnly,
    };

    public static readonly TimeField LastUsedAt = new("last_used_at")
    {
        Description = "When the key was last used; null if never.",
        Access = FieldAccess.ReadOnly,
    };

    public static readonly TimeField ExpiresAt = new("expires_at")
    {
        Description = "When the key stops working; never if absent.", Example = "\"2027-01-01T00:00:00Z\"",
        Access = FieldAccess.CreateOnly,
    };

    public static readonly TimeField RevokedAt = new("revoked_at")
    {
        Description = "When the key was revoked; null while it works.",
        Access = FieldAccess.ReadOnly,
    };

    /// <summary>The hashes of its secrets: the current one last, and after a rotation the one before.</summary>
    public static readonly TextListField Hashes = new("hashes", max: 2, maxLength: 64) { Access = FieldAccess.Internal };

    /// <summary>Until when the secret before the current one works.</summary>
    public static readonly TimeField GraceEndsAt = new("grace_ends_at") { Access = FieldAccess.Internal };

    public static Schema Schema { get; } = new(
        "api_key", "key_", "api-keys", [Name, Scopes, Environment, Prefix, LastUsedAt, ExpiresAt, RevokedAt, Hashes, GraceEndsAt])
    {
        Noun = "API key",
    };

    /// <summary>Whether a secret of this hash opens anything now.</summary>
    public static bool Accepts(Record key, string hash, DateTimeOffset now)
    {
        if (RevokedAt.Of(key) is not null || ExpiresAt.Of(key) <= now) return false;
        var hashes = Hashes.Of(key);
        return IsSame(hash, hashes[^1]) || (hashes.Count > 1 && IsSame(hash, hashes[0]) && GraceEndsAt.Of(key) > now);
    }

    /// <summary>The environment it opens.</summary>
    public static WorkspaceEnvironment EnvironmentOf(Record key) => Environment.Of(key) is "live" ? WorkspaceEnvironment.Live : WorkspaceEnvironment.Test;

    /// <summary>Compares in constant time.</summary>
    private static bool IsSame(string left, string right) =>
        CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(left), Encoding.ASCII.GetBytes(right));
}
