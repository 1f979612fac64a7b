using System.Net;
using System.Text.RegularExpressions;
using NodeStash.Core.Values;

namespace NodeStash.Azure.Cosmos;

/// <summary>Calls the stored procedure for commits with more operations than a transactional batch takes.</summary>
public static partial class CommitProcedure
{
    /// <summary>Id of the procedure in the container. A new version gets a new id, so that running apps find theirs.</summary>
    public const string Id = "commit-1";

    /// <summary>JavaScript of the procedure.</summary>
    public static string Body { get; } = Read();

    /// <summary>Writes the one argument of the procedure: the operations.</summary>
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

    /// <summary>Reads which operation was refused, and its status; null for another failure.</summary>
    internal static (int Index, HttpStatusCode Status)? Refusal(string? message) =>
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
