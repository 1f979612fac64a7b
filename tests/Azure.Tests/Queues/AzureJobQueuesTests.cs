using System.Net;
using Azure.Core.Pipeline;
using Azure.Identity;
using Azure.Storage.Queues;
using Moq;
using Moq.Protected;
using NodeStash.Azure.Queues;
using NodeStash.Core.Jobs;
using NodeStash.Core.Storage;

namespace NodeStash.Azure.Tests.Queues;

/// <summary>What the queue service answers to a check, and what that means. With an emulator: tests/Azurite.</summary>
public sealed class AzureJobQueuesTests
{
    [Theory]
    [InlineData(200, null)]
    [InlineData(404, "QueueNotFound")]
    [InlineData(403, "AuthorizationPermissionMismatch")]
    public async Task Queues_that_answer_are_there_though_the_app_may_only_send(int status, string? code) =>
        await Queues(() => Answer(status, code)).Check(CancellationToken.None);

    [Theory]
    [InlineData(401, "InvalidAuthenticationInfo")]
    [InlineData(403, "AuthorizationFailure")]
    [InlineData(404, "ResourceNotFound")]
    [InlineData(503, "ServerBusy")]
    public async Task Queues_that_refuse_the_app_or_fail_are_not(int status, string? code) =>
        await Assert.ThrowsAsync<StoreUnavailableException>(async () => await Queues(() => Answer(status, code)).Check(CancellationToken.None));

    [Fact]
    public async Task Where_the_app_gets_no_identity_nothing_is_sent_and_that_may_pass()
    {
        var queues = Queues(() => throw new AuthenticationFailedException("no token"));

        await Assert.ThrowsAsync<StoreUnavailableException>(async () => await queues.Check(CancellationToken.None));
        await Assert.ThrowsAsync<StoreUnavailableException>(async () => await queues.Send(JobQueue.Redeliveries, "{}", TimeSpan.Zero, CancellationToken.None));
    }

    private static HttpResponseMessage Answer(int status, string? code)
    {
        var answer = new HttpResponseMessage((HttpStatusCode)status) { Content = new ByteArrayContent([]) };
        if (code is not null) answer.Headers.Add("x-ms-error-code", code);
        return answer;
    }

    private static AzureJobQueues Queues(Func<HttpResponseMessage> answer)
    {
        var options = AzureJobQueues.ClientOptions;
        options.Retry.MaxRetries = 0;
        var service = new Mock<HttpMessageHandler>();
        service.Protected().Setup<Task<HttpResponseMessage>>("SendAsync", ItExpr.IsAny<HttpRequestMessage>(), ItExpr.IsAny<CancellationToken>())
            .ReturnsAsync(answer);
        options.Transport = new HttpClientTransport(new HttpClient(service.Object));
        return new AzureJobQueues(
            new QueueServiceClient("DefaultEndpointsProtocol=http;AccountName=a;AccountKey=AAAA;QueueEndpoint=http://127.0.0.1:1/a;", options));
    }
}
