using Microsoft.AspNetCore.Http;
using NodeStash.Core.Access;
using NodeStash.Core.Records;
using NodeStash.Core.Storage;
using NodeStash.Functions.Api.Http;

namespace NodeStash.Functions.Api.V1;

/// <summary>Shares the rotation of secrets between API keys and webhook endpoints.</summary>
internal static class SecretRotation
{
    private static readonly IntegerField graceSeconds = new("grace_seconds", 0, (long)TimeSpan.FromDays(7).TotalSeconds)
    {
        Default = (long)TimeSpan.FromDays(1).TotalSeconds, Description = "The seconds for which the previous secret stays valid.", Example = "3600",
    };

    private static readonly Form form = new(graceSeconds);

    public static Operation Of(Schema schema, string name, string verb) => new()
    {
        Name = name,
        Method = "POST",
        Route = $"v1/{schema.Collection}/{{id}}/{verb}",
        Summary = $"Give the {schema.Noun} a new secret, which is answered once.",
        Scopes = [Scope.Writing(schema.Scopes)],
        Parameters = [Parameter.DryRun],
        Body = form,
        IsBodyOptional = true,
        Answers = [new Success(StatusCodes.Status200OK, schema.EnvelopeType) { Attributes = RecordOperation.Shown(schema) }],
        OwnErrors = [ErrorCode.Conflict, ErrorCode.UnprocessableEntity],
    };

    /// <summary>Answers the rotated record with its new secret.</summary>
    /// <param name="schema">The resource.</param>
    /// <param name="record">The stored record.</param>
    /// <param name="secret">The new secret; null in a dry run.</param>
    public static Outcome ToOutcome(Schema schema, StoredRecord record, string? secret) => new Outcome.Found(Resource.Of(schema, record).With(secret));

    /// <summary>Reads how long the previous secret stays valid.</summary>
    public static async ValueTask<Result<TimeSpan>> ReadGrace(Call call)
    {
        var given = await call.Read();
        return given.Error is { } error ? error : TimeSpan.FromSeconds((long)given.Value[graceSeconds]!);
    }
}
