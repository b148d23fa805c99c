# A classifier at full size: ResNet-50, 224 pixels, begun with ImageNet's weights, 30 epochs; wants a GPU.
#
# Flips left to right are drawn: take RandomHorizontalFlip out where that makes another class. Without
# a network the published weights cannot be had: --set model.backbone.init_cfg=None begins at random,
# --start TRAINING with the weights of a training. On a CPU: resnet-small.

epochs = 30

model = dict(
    type='Classifier',
    data_preprocessor=dict(
        type='ImgDataPreprocessor', mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375]),
    backbone=dict(
        type='ResNet',
        depth=50,
        init_cfg=dict(type='Pretrained', checkpoint='torchvision://resnet50')),
    head=dict(
        type='LinearHead',
        num_classes=1000,
        loss=dict(type='CrossEntropyLoss', label_smoothing=0.1)))

train_dataloader = dict(
    batch_size=64,
    num_workers=4,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(
        type='VemlClassification',
        pipeline=[
            dict(type='RandomResizedCrop', size=224),
            dict(type='RandomHorizontalFlip', p=0.5),
        ]))
val_dataloader = dict(
    batch_size=64,
    dataset=dict(
        type='VemlClassification',
        pipeline=[dict(type='Resize', size=256), dict(type='CenterCrop', size=224)]))

optim_wrapper = dict(optimizer=dict(type='SGD', lr=0.025, momentum=0.9, weight_decay=0.0001))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.1, by_epoch=True, begin=0, end=1,
         convert_to_iter_based=True),
    dict(type='CosineAnnealingLR', by_epoch=True, begin=1, end=epochs, T_max=epochs - 1,
         convert_to_iter_based=True),
]
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=epochs, val_interval=1)
default_scope = 'mmengine'
