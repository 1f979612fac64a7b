using NodeStash.Core.Records;

namespace NodeStash.Functions.Api.Http;

/// <summary>Refuses a request whose body or headers are invalid. <see cref="Api"/> turns it into the answer.</summary>
internal sealed class RefusedException(Error error) : Exception(error.Message)
{
    public Error Error { get; } = error;
}
