using System.Globalization;
using System.Net;

namespace NodeStash.LocalHost.Demo;

/// <summary>
/// What the demo tells, a line each: steps and webhooks as they happen, then what was checked. Coloured only on a terminal, and not where NO_COLOR is
/// set.
/// </summary>
internal sealed class Narration(TextWriter output)
{
    private const string Bold = "1", Faint = "2", Red = "31", Green = "32", Yellow = "33";

    // Steps and webhooks are told by different threads.
    private readonly TextWriter output = TextWriter.Synchronized(output);

    private readonly bool inColour =
        ReferenceEquals(output, Console.Out) && !Console.IsOutputRedirected && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR"));

    /// <summary>Whether every check so far was right.</summary>
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

    /// <param name="right">Whether it is as it has to be.</param>
    /// <param name="what">What was expected.</param>
    /// <param name="found">What there was; told in any case.</param>
    public void Check(bool right, string what, string found)
    {
        AllRight &= right;
        output.WriteLine($"  {(right ? Paint(Green, "✓") : Paint(Red, "✗"))} {what}: {found}");
    }

    /// <summary>The last line.</summary>
    /// <param name="failure">Why the demo failed; null if it did not.</param>
    /// <returns>The exit code.</returns>
    public int End(string? failure)
    {
        output.WriteLine($"\n{(failure is null ? Paint(Green, "demo passed") : Paint(Red, $"demo failed: {failure}"))}");
        return failure is null ? 0 : 1;
    }

    private string Paint(string colour, string text) => inColour && text.Length > 0 ? $"\e[{colour}m{text}\e[0m" : text;
}
