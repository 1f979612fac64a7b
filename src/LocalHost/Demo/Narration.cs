using System.Globalization;
using System.Net;

namespace NodeStash.LocalHost.Demo;

/// <summary>
/// Prints the demo, one line each: steps and webhooks as they happen, then the checks. Uses colours on a terminal only, and not if NO_COLOR is set.
/// </summary>
internal sealed class Narration(TextWriter output)
{
    private const string Bold = "1", Faint = "2", Red = "31", Green = "32", Yellow = "33";

    // Different threads print steps and webhooks.
    private readonly TextWriter output = TextWriter.Synchronized(output);

    private readonly bool inColour =
        ReferenceEquals(output, Console.Out) && !Console.IsOutputRedirected && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR"));

    /// <summary>Whether every check so far passed.</summary>
    public bool AllRight { get; private set; } = true;

    public void Say(string text = "") => output.WriteLine(text);

    public void Heading(string text) => output.WriteLine($"\n{Paint(Bold, text)}");

    public void Step(HttpMethod method, string path, HttpStatusCode status, string what, string? id) =>
        output.WriteLine($"  {method,-6} {Uri.UnescapeDataString(path)}  {Paint(Green, $"{(int)status}")}  {what}{Paint(Faint, id is null ? "" : $"  {id}")}");

    public void Webhook(Arrival arrival)
    {
        var signature = arrival.IsVerified ? Paint(Green, "verified") : Paint(Red, "SIGNATURE WRONG");
        var remark =
            !arrival.IsAccepted && arrival.IsVerified ? "  answered 500, once and on purpose"
            : arrival.Waited is { } waited
                ? string.Create(CultureInfo.InvariantCulture, $"  attempt {arrival.Attempt} after {waited.TotalSeconds:0.0} s, durable timer")
            : arrival.Attempt > 1 ? "  a duplicate"
            : "";
        output.WriteLine($"      {Paint(Faint, "<-")} {arrival.Event,-22} {arrival.RecordId,-24} v{arrival.Version}  {signature}{Paint(Yellow, remark)}");
    }

    /// <summary>Prints a check.</summary>
    /// <param name="right">Whether it passed.</param>
    /// <param name="what">The expectation.</param>
    /// <param name="found">The actual result, which is always printed.</param>
    public void Check(bool right, string what, string found)
    {
        AllRight &= right;
        output.WriteLine($"  {(right ? Paint(Green, "✓") : Paint(Red, "✗"))} {what}: {found}");
    }

    /// <summary>Prints the last line.</summary>
    /// <param name="failure">Why the demo failed; null if it did not.</param>
    /// <returns>The exit code.</returns>
    public int End(string? failure)
    {
        output.WriteLine($"\n{(failure is null ? Paint(Green, "demo passed") : Paint(Red, $"demo failed: {failure}"))}");
        return failure is null ? 0 : 1;
    }

    private string Paint(string colour, string text) => inColour && text.Length > 0 ? $"\e[{colour}m{text}\e[0m" : text;
}
