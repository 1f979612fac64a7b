using NodeStash.Core.Records;

namespace NodeStash.Functions.Api.Http;

/// <summary>Ends a request that can't be read (its body, its headers) from within the line that reads it. Thrown and caught in this folder only.</summary>
internal sealed class RefusedException(Error error) : Exception(error.Message)
{
    public Error Error { get; } = error;
}
