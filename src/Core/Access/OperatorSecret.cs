using System.Security.Cryptography;
using System.Text;

namespace NodeStash.Core.Access;

/// <summary>Authenticates the operator of a deployment, who may create workspaces. Source: docs/api/access.md, Workspaces.</summary>
/// <param name="secret">The secret; null or empty if nobody may create workspaces.</param>
public sealed class OperatorSecret(string? secret)
{
    /// <summary>Name of the setting with the secret.</summary>
    public const string Setting = "NODESTASH_OPERATOR_SECRET";

    private const int MinSecretLength = 32;

    private readonly byte[]? hash = string.IsNullOrEmpty(secret) ? null : SHA256.HashData(Encoding.UTF8.GetBytes(secret));

    /// <summary>Whether a text is the secret. Compares in constant time.</summary>
    public bool Is(string given) => hash is not null && CryptographicOperations.FixedTimeEquals(hash, SHA256.HashData(Encoding.UTF8.GetBytes(given)));

    /// <summary>Explains why a secret is refused; null if it is accepted.</summary>
    public static string? Check(string? secret) =>
        secret is { Length: > 0 and < MinSecretLength }
            ? $"{Setting} is too short: expected {MinSecretLength} random characters or more, e.g. of `openssl rand -hex 32`"
            : null;
}
