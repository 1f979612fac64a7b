using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using NodeStash.Core.Webhooks;

namespace NodeStash.Functions.Webhooks.Tests;

/// <summary>docs/webhooks.md tells the truth. Its snippets in TypeScript and Python are run by tests/Peers.</summary>
public sealed partial class GuideTests
{
    private static readonly string docs = Path.Combine(Root(), "docs");
    private static readonly string guide = File.ReadAllText(Path.Combine(docs, "webhooks.md"));

    public static TheoryData<string> Vectors => [.. AllVectors().Select(vector => vector.GetProperty("name").GetString()!)];

    [Theory]
    [MemberData(nameof(Vectors))]
    public void The_test_vectors_hold_for_the_product_and_for_the_guide(string name)
    {
        var vector = AllVectors().Single(each => each.GetProperty("name").GetString() == name);
        string Text(string member) => vector.GetProperty(member).GetString()!;
        var (body, now) = (Encoding.UTF8.GetBytes(Text("body")), DateTimeOffset.FromUnixTimeSeconds(vector.GetProperty("now").GetInt64()));

        var genuine = vector.GetProperty("genuine").GetBoolean();
        Assert.Equal(genuine, Signature.Verify(Text("secret"), Text("id"), Text("timestamp"), Text("signatures"), body, now, TimeSpan.FromMinutes(5)));
        Assert.Equal(genuine, IsGenuine(Text("secret"), Text("id"), Text("timestamp"), Text("signatures"), body, now));
    }

    [Fact]
    public void The_snippet_for_CSharp_is_the_one_that_is_tested()
    {
        var lines = CSharp().Match(guide).Groups[1].Value.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        var source =
            File.ReadAllLines(Path.Combine(Root(), "tests", "Functions.Webhooks.Tests", nameof(GuideTests) + ".cs")).Select(line => line.Trim()).ToList();

        var at = source.IndexOf("private " + lines[0]);
        Assert.Equal([.. lines.Skip(1)], source.Skip(at + 1).Take(lines.Length - 1));
    }

    [Fact]
    public void The_table_of_outcomes_has_each_of_them() =>
        Assert.Equal(Enum.GetValues<AttemptOutcome>().Select(outcome => outcome.Name()).Order(),
            Outcome().Matches(guide).Select(match => match.Groups[1].Value).Order());

    [Fact]
    public void The_table_of_waits_is_the_schedule() =>
        Assert.Equal(
            RetrySchedule.Waits.Select((wait, i) => string.Create(CultureInfo.InvariantCulture, $"| {i + 2} | {Shown(wait)} |")),
            Wait().Matches(guide).Select(match => match.Value));

    private static string Shown(TimeSpan wait) =>
        wait.TotalHours >= 1 ? Shown(wait.TotalHours, "h") : wait.TotalMinutes >= 1 ? Shown(wait.TotalMinutes, "min") : Shown(wait.TotalSeconds, "s");

    private static string Shown(double count, string unit) => string.Create(CultureInfo.InvariantCulture, $"{count} {unit}");

    private static bool IsGenuine(string secret, string id, string timestamp, string signatures, byte[] body, DateTimeOffset now)
    {
        if (!long.TryParse(timestamp, CultureInfo.InvariantCulture, out var seconds) || Math.Abs(now.ToUnixTimeSeconds() - seconds) > 300) return false;
        var key = Convert.FromBase64String(secret["whsec_".Length..]);
        byte[] signed = [.. Encoding.UTF8.GetBytes($"{id}.{timestamp}."), .. body];
        var expected = Encoding.ASCII.GetBytes("v1," + Convert.ToBase64String(HMACSHA256.HashData(key, signed)));
        return signatures.Split(' ').Any(signature => CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(signature), expected));
    }

    private static IEnumerable<JsonElement> AllVectors() =>
        JsonElement.Parse(File.ReadAllBytes(Path.Combine(docs, "webhook-test-vectors.json"))).EnumerateArray();

    private static string Root()
    {
        var at = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(at.FullName, "NodeStash.sln"))) at = at.Parent
            ?? throw new DirectoryNotFoundException("NodeStash.sln is not above the tests.");
        return at.FullName;
    }

    [GeneratedRegex("```csharp\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex CSharp();

    [GeneratedRegex(@"^\| `([a-z0-9_]+)` \|", RegexOptions.Multiline)]
    private static partial Regex Outcome();

    [GeneratedRegex(@"^\| \d+ \| \d+ (s|min|h) \|", RegexOptions.Multiline)]
    private static partial Regex Wait();
}
