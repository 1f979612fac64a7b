using System.Text.Json;
using NodeStash.Core.Records;
using NodeStash.Core.Storage;

namespace NodeStash.Functions.Api.V1;

/// <summary>The body of what has events sent again: <c>{"since": time}</c>, for a replay with <c>"missing_only": bool</c>.</summary>
internal static class RedeliveryBody
{
    private static readonly TimeField Since = new("since");
    private static readonly FlagField MissingOnly = new("missing_only");

    /// <param name="body">A JSON object.</param>
    /// <param name="isReplay">Whether it may say missing_only.</param>
    /// <param name="now">The time.</param>
    public static Result<(DateTimeOffset Since, bool MissingOnly)> Read(JsonElement body, bool isReplay, DateTimeOffset now)
    {
        var (faults, since, missingOnly) = (new Faults(), (DateTimeOffset?)null, false);
        string[] known = isReplay ? [Since.Name, MissingOnly.Name] : [Since.Name];
        foreach (var property in body.EnumerateObject())
        {
            if (!known.Contains(property.Name)) faults.Add(property.Name, Suggestion.Unknown("field", property.Name, known));
            else if (property.Name == MissingOnly.Name) missingOnly = MissingOnly.Read(property.Value, MissingOnly.Name, faults) is true;
            else since = (DateTimeOffset?)Since.Read(property.Value, Since.Name, faults);
        }

        if (faults.Of(Since.Name)) return Error.Invalid(faults.All);
        if (since is null) faults.Add(Since.Name, "Required: the time of the first event to send again, e.g. 2026-01-15T10:30:00Z");
        else if (since > now) faults.Add(Since.Name, "Must not be in the future");
        else if (since < Text.ToSecond(now - StoredEvent.Retention)) faults.Add(Since.Name, $"Must not be more than {StoredEvent.Retention.Days} days ago: older events are not kept");
        return faults.Any ? Error.Invalid(faults.All) : (since!.Value, missingOnly);
    }

    /// <summary>What is wrong with a body where none is needed; null if it is empty.</summary>
    public static Error? Fault(JsonElement body)
    {
        var faults = new Faults();
        foreach (var property in body.EnumerateObject()) faults.Add(property.Name, Suggestion.Unknown("field", property.Name, []));
        return faults.Any ? Error.Invalid(faults.All) : null;
    }
}
