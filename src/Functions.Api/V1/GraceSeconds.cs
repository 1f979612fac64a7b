using System.Text.Json;
using NodeStash.Core.Records;

namespace NodeStash.Functions.Api.V1;

/// <summary>The body of a rotation: <c>{"grace_seconds": n}</c>, or nothing.</summary>
internal static class GraceSeconds
{
    private const string Name = "grace_seconds";

    /// <summary>How long the secret before works on where the client does not say: a day.</summary>
    private const long Normal = 86_400;

    /// <summary>The longest it may: 7 days.</summary>
    private const long Most = 604_800;

    private static readonly IntegerField Field = new(Name, 0, Most);

    public static Result<TimeSpan> Read(JsonElement body)
    {
        var (faults, seconds) = (new Faults(), Normal);
        foreach (var property in body.EnumerateObject())
        {
            if (property.Name is not Name) faults.Add(property.Name, Suggestion.Unknown("field", property.Name, [Name]));
            else if (Field.Read(property.Value, Name, faults) is long given) seconds = given;
        }

        return faults.Any ? Error.Invalid(faults.All) : TimeSpan.FromSeconds(seconds);
    }
}
