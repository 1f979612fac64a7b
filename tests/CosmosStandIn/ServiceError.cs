namespace NodeStash.CosmosStandIn;

/// <summary>An answer that is not a success, as the service gives it.</summary>
/// <param name="status">The HTTP status.</param>
/// <param name="message">What is wrong.</param>
/// <param name="subStatus">The value of <c>x-ms-substatus</c>; 0 where there is none.</param>
internal sealed class ServiceError(int status, string message, int subStatus = 0) : Exception(message)
{
    public int Status { get; } = status;

    public int SubStatus { get; } = subStatus;

    public static ServiceError BadRequest(string message, int subStatus = 0) => new(400, message, subStatus);

    public static ServiceError NotFound(string what, int subStatus = 0) => new(404, $"Resource Not Found: {what}.", subStatus);

    public static ServiceError Conflict() => new(409, "Entity with the specified id already exists in the system.");

    public static ServiceError PreconditionFailed() => new(412, "One of the specified pre-condition is not met.");

    public static ServiceError TooLarge() => new(413, "Request size is too large.");

    /// <summary>What the service can do and this stand-in does not; see the README.</summary>
    public static ServiceError NotModelled(string what) => new(400, $"{what} is not modelled by the stand-in.");
}
