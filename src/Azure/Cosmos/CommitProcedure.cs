using System.Net;
using System.Text.RegularExpressions;
using NodeStash.Core.Values;

namespace NodeStash.Azure.Cosmos;

/// <summary>The stored procedure for commits of more operations than a transactional batch takes.</summary>
public static partial class CommitProcedure
{
    /// <summary>Its id in the container. Another version of it gets another id, so that what runs finds its own.</summary>
    public const string Id = "commit-1";

    /// <summary>Its JavaScript.</summary>
    public static string Body { get; } = Read();

    /// <summary>Its one argument: the operations.</summary>
    internal static Stream Arguments(IReadOnlyList<CommitOperation> operations) => new MemoryStream(JsonForm.Write(writer =>
    {
        writer.WriteStartArray();
        writer.WriteStartArray();
        foreach (var operation in operations)
        {
            writer.WriteStartObject();
            operation.Write(writer);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        writer.WriteEndArray();
    }).ToArray(), writable: false);

    /// <summary>The operation that could not be done, and why; null where it failed in another way.</summary>
    internal static (int Place, HttpStatusCode Status)? Refusal(string? message) =>
        message is not null && Refused().Match(message) is { Success: true } match
            ? (int.Parse(match.Groups["operation"].ValueSpan, null), (HttpStatusCode)int.Parse(match.Groups["status"].ValueSpan, null))
            : null;

    [GeneratedRegex(@"REFUSED (?<operation>\d+) (?<status>\d+)", RegexOptions.None, matchTimeoutMilliseconds: 1_000)]
    private static partial Regex Refused();

    private static string Read()
    {
        using var file = typeof(CommitProcedure).Assembly.GetManifestResourceStream("commit.js")!;
        using var text = new StreamReader(file);
        return text.ReadToEnd();
    }
}
