using System.Security.Cryptography;
using System.Text;

namespace NodeStash.Core.Access;

/// <summary>What whoever operates a deployment proves himself by, to make workspaces (docs/api/access.md, Workspaces).</summary>
/// <param name="secret">Null or empty where nobody may.</param>
public sealed class OperatorSecret(string? secret)
{
    /// <summary>The setting it comes from.</summary>
    public const string Setting = "NODESTASH_OPERATOR_SECRET";

    private const int MinSecretLength = 32;

    private readonly byte[]? hash = string.IsNullOrEmpty(secret) ? null : SHA256.HashData(Encoding.UTF8.GetBytes(secret));

    /// <summary>Whether it is the secret; takes as long for any other.</summary>
    public bool Is(string given) => hash is not null && CryptographicOperations.FixedTimeEquals(hash, SHA256.HashData(Encoding.UTF8.GetBytes(given)));

    /// <summary>Why a secret will not do; null where it will.</summary>
    public static string? Check(string? secret) =>
        secret is { Length: > 0 and < MinSecretLength }
            ? $"{Setting} is too short: expected {MinSecretLength} random characters or more, e.g. of `openssl rand -hex 32`"
            : null;
}
